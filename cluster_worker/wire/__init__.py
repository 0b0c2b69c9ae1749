"""The inter-node protocol: frames, messages, conversation, TLS."""

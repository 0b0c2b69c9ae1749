"""What runs the nodes of an environment: local processes, or containers; one interface for both."""

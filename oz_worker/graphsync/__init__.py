"""The Graph Sync channel: what providers are told of the zone, and told again when it changes."""

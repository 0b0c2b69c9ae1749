"""A node of a cluster: joining, booting, heartbeats, ring, calls between nodes."""

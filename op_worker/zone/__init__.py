"""What this provider knows of its zone, kept current over Graph Sync."""

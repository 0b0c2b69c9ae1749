"""CDMI 1.1.1 under /cdmi."""

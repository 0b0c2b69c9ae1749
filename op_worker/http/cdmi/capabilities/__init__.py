"""The capability objects."""

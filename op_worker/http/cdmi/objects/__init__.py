"""Data objects."""

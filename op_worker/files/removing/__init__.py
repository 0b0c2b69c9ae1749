"""Removing, the trash, and purging what was removed."""

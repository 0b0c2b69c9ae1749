"""A storage that keeps nothing."""

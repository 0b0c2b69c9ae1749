"""Sizes and counts of directories, kept by a reader of the change feed."""

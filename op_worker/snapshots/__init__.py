"""Snapshots of directories: copies of a moment, made behind a request, that nobody may change."""

"""The door of downloads by code."""

"""Storages behind the S3 protocol."""

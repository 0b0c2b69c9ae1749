"""Custom metadata, attributes and access control lists as changes of files."""

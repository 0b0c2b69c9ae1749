"""The namespace: files, directories, permissions, content, metadata."""

"""The ``sftp`` helper."""

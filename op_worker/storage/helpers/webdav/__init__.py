"""The ``webdav`` helper."""

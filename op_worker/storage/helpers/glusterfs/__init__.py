"""The ``glusterfs`` helper."""

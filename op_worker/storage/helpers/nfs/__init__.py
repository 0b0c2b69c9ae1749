"""The ``nfs`` helper."""

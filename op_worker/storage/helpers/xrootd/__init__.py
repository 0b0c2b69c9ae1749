"""The ``xrootd`` helper."""

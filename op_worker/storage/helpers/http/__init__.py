"""The ``http`` helper."""

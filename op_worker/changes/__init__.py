"""The stream of changes of a space, for clients."""

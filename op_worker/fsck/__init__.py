"""A check that walks names, documents, storage and counters of a space, and repairs on request."""

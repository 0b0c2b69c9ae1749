"""Canonical JSON of resources: made as the value of an object, and made into resources again."""

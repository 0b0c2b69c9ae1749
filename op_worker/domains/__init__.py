"""Spaces as administrative domains: who belongs to them, and what was used in which time."""

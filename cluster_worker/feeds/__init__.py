"""Readers of change feeds: whoever wants to know what changed reads the one log."""

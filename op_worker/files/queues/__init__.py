"""Queues: directories whose files are values, added at one end and taken from the other."""

"""Commits with retries, and the storage operations that they leave pending."""

"""Queues that the provider fills: results of queries, and news of what changes."""

"""Whose quotas a content counts in, and walks that charge anew."""

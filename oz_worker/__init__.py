"""Onezone: the registry of users, groups, spaces, providers and tokens."""

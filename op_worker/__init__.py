"""Oneprovider: one file namespace over many storages."""

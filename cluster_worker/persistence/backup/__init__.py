"""Backup and restore of metadata: a dump of every shard while it serves, and putting it back."""

"""Documents, directory entries, counters, leases and one change feed, on several engines."""

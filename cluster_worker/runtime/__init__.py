"""Services with ordered stop, owned tasks, a blocking pool, bounded streams, clocks."""

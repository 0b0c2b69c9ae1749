"""What helpers of storages behind an HTTP server share."""

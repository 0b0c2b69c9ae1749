"""Bodies of requests on their way in."""

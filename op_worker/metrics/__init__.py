"""Time series of what spaces and their users hold and do, for monitoring."""

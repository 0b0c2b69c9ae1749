"""Quotas as users see and set them, and the room that they leave."""

"""Uploads in parts that survive interruptions: the tus protocol."""

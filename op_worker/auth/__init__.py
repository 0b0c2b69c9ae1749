"""Who is calling and what the token allows."""

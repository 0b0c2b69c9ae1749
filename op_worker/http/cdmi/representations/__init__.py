"""What resources look like in CDMI: members, metadata, values."""

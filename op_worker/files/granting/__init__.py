"""What people grant one another: lists, protection, shares; and why somebody may not."""

"""What rules a file besides permissions: retention, holds, and what was wished of the system for it. Pure."""

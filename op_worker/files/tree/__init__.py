"""Where files stand: making, linking, moving and restoring them."""

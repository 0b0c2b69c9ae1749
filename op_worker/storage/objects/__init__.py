"""Files kept as objects: how bytes are laid out over keys."""

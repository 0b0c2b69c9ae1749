"""Finding files, and who may find them."""

"""C libraries that block, made into storage helpers."""

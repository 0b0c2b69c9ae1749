"""Files that were on a storage before us, or come to it behind our back, appear in the space in place."""

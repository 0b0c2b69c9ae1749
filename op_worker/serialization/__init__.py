"""The canonical JSON of files and trees: made from them, and made into them."""

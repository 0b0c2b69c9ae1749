"""Storage helpers: a package for each type of storage."""

"""Storage helpers: bytes at paths of a storage, and nothing about users or spaces."""

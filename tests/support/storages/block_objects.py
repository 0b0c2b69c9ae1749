"""A file in blocks put together from its objects, by nobody else's code."""

from __future__ import annotations

from collections.abc import Mapping

FIRST_BLOCK = 999_999
"""The last part of the key of a file's first block; those of the following ones count down."""


def joined(objects: Mapping[str, bytes], block_size_b: int) -> bytes:
    """Return the content of a file from the objects below its path, by the last part of their keys."""
    content = bytearray()
    for name, data in objects.items():
        assert len(name) == 6, name
        start_b = (FIRST_BLOCK - int(name)) * block_size_b
        content.extend(bytes(max(0, start_b + len(data) - len(content))))
        content[start_b : start_b + len(data)] = data
    return bytes(content)

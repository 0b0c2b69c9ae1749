"""Uids and gids that are computed from ids. Pure."""

from __future__ import annotations

from functools import lru_cache

from onedata.ids import SpaceId, UserId

LOWEST = 100_000
HIGHEST = 2_000_000


@lru_cache(maxsize=8192)
def automatic_id(text: str) -> int:
    """Return the uid of a user or the gid of a space: stable, above those of systems, the same at every site.

    The id's bytes, as one big-endian number, are taken modulo the size of the range. Two ids may share one.
    """
    return LOWEST + int.from_bytes(text.encode(), "big") % (HIGHEST - LOWEST)


def space_owner_of(space_id: SpaceId) -> UserId:
    """Return the virtual user who owns the root of a space."""
    return UserId(f"space_owner_{space_id}")

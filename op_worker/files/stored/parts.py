"""A part of a content that lies apart from the rest of it, and its stored form. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Blocks
from op_worker.files.stored.packing import pack_id, unpack_id

Place = tuple[str, str]
"""A storage, and the path there of bytes that follow no names; an empty path for those that may."""


@frozen
class Part:
    """Which bytes of a content lie at ``at`` on a storage."""

    storage_id: str
    at: str
    blocks: Blocks

    @property
    def place(self) -> Place:
        return self.storage_id, self.at

    def pack(self) -> list[Any]:
        """Return the stored form."""
        return [pack_id(self.storage_id), self.at, [number for block in self.blocks for number in block]]

    @classmethod
    def unpack(cls, stored: Sequence[Any]) -> Part:
        storage_id, at, flat, *_ = stored
        return cls(unpack_id(storage_id), at, tuple(zip(flat[::2], flat[1::2], strict=True)))

    def without(self, blocks: Blocks) -> Part:
        """Return the part without these bytes."""
        return evolve(self, blocks=block_lists.subtract(self.blocks, blocks))

"""Storages and supports as they are stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
from attrs import field, frozen

from onedata.ids import SpaceId, StorageId

SCHEMA = 1


class UnknownSchemaError(Exception):
    """A stored record is of a version that this program does not know; upgrade the program."""


@frozen(kw_only=True)
class StorageRecord:
    """A storage of this provider. ``arguments`` depend on the type and may hold secrets."""

    storage_id: StorageId
    name: str
    type: str
    arguments: Mapping[str, str] = field(factory=dict, repr=False)
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        packed: bytes = msgpack.packb([SCHEMA, self.name, self.type, dict(self.arguments), *self.rest])
        return packed

    @classmethod
    def decode(cls, storage_id: str, data: bytes) -> StorageRecord:
        name, type_, arguments, *rest = _unpack(data)
        return cls(
            storage_id=StorageId(storage_id), name=name, type=type_, arguments=arguments, rest=tuple(rest)
        )


@frozen(kw_only=True)
class SupportRecord:
    """The fact that a storage gives ``size_b`` bytes to a space."""

    space_id: SpaceId
    storage_id: StorageId
    size_b: int
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        packed: bytes = msgpack.packb([SCHEMA, self.storage_id, self.size_b, *self.rest])
        return packed

    @classmethod
    def decode(cls, space_id: str, data: bytes) -> SupportRecord:
        storage_id, size_b, *rest = _unpack(data)
        return cls(
            space_id=SpaceId(space_id), storage_id=StorageId(storage_id), size_b=size_b, rest=tuple(rest)
        )


def _unpack(data: bytes) -> list[Any]:
    fields: list[Any]
    schema, *fields = msgpack.unpackb(data)
    if schema != SCHEMA:
        raise UnknownSchemaError(f"storage record of version {schema}")
    return fields

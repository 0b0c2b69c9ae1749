"""Storages and supports as they are stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
from attrs import field, frozen

from onedata.ids import SpaceId, StorageId

SCHEMA = 1
_ADDED: list[Any] = [{}, [False] * 4, {}, {}]
"""What stands for the fields that records of earlier versions do not have."""


_USUAL: list[Any] = [[], True]
"""The same for supports."""


class UnknownSchemaError(Exception):
    """A stored record is of a version that this program does not know; upgrade the program."""


@frozen(kw_only=True)
class StorageRecord:
    """A storage of this provider. ``arguments`` and ``credentials`` depend on the type; they hold secrets.

    Attributes:
        is_imported: its files were there before us; the root of the storage is the root of its one space.
        is_readonly: nothing is ever written to it.
        skips_detection: clients are not to try whether they reach it themselves.
        is_draining: it takes no new content, and what it has moves to other storages of its spaces.
        parameters: free texts and numbers that rules of placement ask about.
        users: how ours are mapped to its own: ``feed`` (auto, local, external), ``url``, ``key``.
    """

    storage_id: StorageId
    name: str
    type: str
    arguments: Mapping[str, str] = field(factory=dict, repr=False)
    credentials: Mapping[str, str] = field(factory=dict, repr=False)
    is_imported: bool = False
    is_readonly: bool = False
    skips_detection: bool = False
    is_draining: bool = False
    parameters: Mapping[str, str | float] = field(factory=dict)
    users: Mapping[str, str] = field(factory=dict, repr=False)
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        flags = [self.is_imported, self.is_readonly, self.skips_detection, self.is_draining]
        packed: bytes = msgpack.packb(
            [
                SCHEMA,
                self.name,
                self.type,
                dict(self.arguments),
                dict(self.credentials),
                flags,
                dict(self.parameters),
                dict(self.users),
                *self.rest,
            ]
        )
        return packed

    @classmethod
    def decode(cls, storage_id: str, data: bytes) -> StorageRecord:
        name, type_, arguments, *later = _unpack(data)
        credentials, flags, parameters, users, *rest = [*later, *_ADDED[len(later) :]]
        is_imported, is_readonly, skips_detection, is_draining, *_ = flags
        return cls(
            storage_id=StorageId(storage_id),
            name=name,
            type=type_,
            arguments=arguments,
            credentials=credentials,
            is_imported=is_imported,
            is_readonly=is_readonly,
            skips_detection=skips_detection,
            is_draining=is_draining,
            parameters=parameters,
            users=users,
            rest=tuple(rest),
        )


@frozen(kw_only=True)
class SupportRecord:
    """The storages of a space, each with the bytes that it gives; the order counts.

    ``sizes_b`` has one at least. ``keeps_names`` tells whether files may lie under their names on the first
    one: not when it came to be the first, for what lies flat there would get in their way.
    """

    space_id: SpaceId
    sizes_b: Mapping[StorageId, int]
    keeps_names: bool = True
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        [first, *others] = ([storage_id, size_b] for storage_id, size_b in self.sizes_b.items())
        further: list[Any] = [others] if others else []
        if self.rest or not self.keeps_names:
            further = [others, self.keeps_names, *self.rest]
        packed: bytes = msgpack.packb([SCHEMA, *first, *further])
        return packed

    @classmethod
    def decode(cls, space_id: str, data: bytes) -> SupportRecord:
        storage_id, size_b, *later = _unpack(data)
        others, keeps_names, *rest = [*later, *_USUAL[len(later) :]]
        sizes_b = dict([(storage_id, size_b), *others])
        return cls(space_id=SpaceId(space_id), sizes_b=sizes_b, keeps_names=keeps_names, rest=tuple(rest))


def _unpack(data: bytes) -> list[Any]:
    fields: list[Any]
    schema, *fields = msgpack.unpackb(data)
    if schema != SCHEMA:
        raise UnknownSchemaError(f"storage record of version {schema}")
    return fields

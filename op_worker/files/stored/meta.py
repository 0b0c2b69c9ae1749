"""``meta``, the document that says what a file is, and its stored form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from op_worker.files.acl import Acl, pack_acl, unpack_acl
from op_worker.files.model import FileType
from op_worker.files.rules.retention import Immutability
from op_worker.files.rules.rules import Wish
from op_worker.files.stored.packing import LETTERS, SCHEMA, TYPES, pack, pack_id, unpack, unpack_id

_USUAL: Sequence[Any] = (None, 0, 1, [], False, False, None, {})
"""The rarely used fields of ``Meta`` as most files have them."""
_ORDINARY = 0x90 | 9
"""How a stored ``Meta`` without rarely used fields begins: a msgpack array of nine."""


@frozen
class Meta:
    """What a file is. ``created_s`` in whole seconds since the epoch.

    ``acl`` decides instead of ``mode`` when there is one. ``protection`` holds bits of
    ``protection.Protection``. ``links`` counts the names that lead to the file. ``shares`` are the ids of
    shares that begin here. ``has_quota`` says that what lies below is charged to this directory's quota.
    ``is_queue`` marks a directory whose files are the values of a queue. ``immutability`` and ``wishes`` are
    rules that hold for what is below, too.
    """

    name: str
    type: FileType
    mode: int
    owner: str
    provider_id: str
    created_s: int
    symlink_target: str | None = None
    has_metadata: bool = False
    acl: Acl | None = None
    protection: int = 0
    links: int = 1
    shares: tuple[str, ...] = ()
    has_quota: bool = False
    is_queue: bool = False
    immutability: Immutability | None = None
    wishes: Mapping[str, Wish] = field(factory=dict)
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        return pack(
            [
                SCHEMA,
                self.name,
                LETTERS[self.type],
                self.mode,
                pack_id(self.owner),
                pack_id(self.provider_id),
                self.created_s,
                self.symlink_target,
                self.has_metadata,
                *self._rarities(),
            ]
        )

    def _rarities(self) -> Sequence[Any]:
        """What few files have; left out from where only defaults follow."""
        if self.rest:
            return (*self._rare(), *self.rest)
        rare = self._rare()
        count = len(rare)
        while count and rare[count - 1] == _USUAL[count - 1]:
            count -= 1
        return rare[:count]

    def _rare(self) -> Sequence[Any]:
        acl = None if self.acl is None else pack_acl(self.acl)
        shares = [pack_id(one) for one in self.shares]
        kept = None if self.immutability is None else self.immutability.packed()
        flags = (self.has_quota, self.is_queue)
        return (acl, self.protection, self.links, shares, *flags, kept, dict(self.wishes))

    @classmethod
    def decode(cls, data: bytes) -> Meta:
        _, name, letter, mode, owner, provider_id, created_s, link, custom, *rare = unpack(data)
        if not rare:
            return cls(
                name,
                TYPES[letter],
                mode,
                unpack_id(owner),
                unpack_id(provider_id),
                created_s,
                link,
                custom,
            )
        full = (*rare, *_USUAL[len(rare) :])[: len(_USUAL)]
        acl, protection, links, shares, has_quota, is_queue, kept, wishes = full
        return cls(
            name,
            TYPES[letter],
            mode,
            unpack_id(owner),
            unpack_id(provider_id),
            created_s,
            link,
            custom,
            None if acl is None else unpack_acl(acl),
            protection,
            links,
            tuple(map(unpack_id, shares)),
            has_quota,
            is_queue,
            Immutability.unpacked(kept),
            wishes,
            tuple(rare[len(_USUAL) :]),
        )


def has_rarities(meta: bytes) -> bool:
    """Whether a stored ``Meta`` has any of the rarely used fields; much cheaper than decoding it."""
    return meta[0] != _ORDINARY

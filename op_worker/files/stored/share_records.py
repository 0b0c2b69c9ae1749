"""A share, a file or a tree that anybody may read: its id and its stored form. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgpack
from attrs import field, frozen

from cluster_worker.persistence.engine import Key, Link, Step, Unlink
from onedata.ids import FileGuid, FileUuid, ShareId, SpaceId, UserId, crc16, new_id, split_link_uuid
from op_worker.files.model import FileType
from op_worker.files.stored.packing import UnknownSchemaError

SHARES = Key("shares")
"""The directory of a space's shares: share id → key of its record."""
DUE = Key("shares_due")
"""The directory of shares that end, in order of time: when the sweep is due, share id → key of its record."""
RECORD = "s"
"""The field of a share's document."""
MOST_OF_A_FILE = 100
"""The most shares that begin at one file."""
KEPT_S = 30 * 86400
"""How long a share that has ended is still listed."""

_SCHEMA = 1
_ID = re.compile(r"[0-9a-f]{32}ch[0-9a-f]{4}")


@frozen(kw_only=True)
class Share:
    """What a share is. Times in whole seconds since the epoch.

    ``root`` is one name of the file, and may be gone; then the share leads nowhere. ``expires_s`` is ``None``
    for never. ``ended_s`` is set once maintenance found it expired; from then on no clock brings it back.
    ``password_hash`` is empty when no password is asked for.
    """

    share_id: ShareId
    space_id: SpaceId
    root: FileUuid
    type: FileType
    name: str
    description: str
    creator: UserId
    created_s: int
    expires_s: int | None = None
    password_hash: str = field(default="", repr=False)
    ended_s: int | None = None
    rest: tuple[Any, ...] = ()

    @property
    def root_guid(self) -> FileGuid:
        """The id of the shared file, as guests know it."""
        return FileGuid(self.root, self.space_id, self.share_id)

    @property
    def key(self) -> Key:
        """The key of the record."""
        return share_key(self.share_id)

    @property
    def top(self) -> Key:
        """The key of the name that was shared."""
        return Key(self.root)

    @property
    def file_key(self) -> Key:
        """The key of the shared file, which has more names when it was shared by a hard link."""
        parts = split_link_uuid(self.root)
        return Key(self.root if parts is None else parts[1])

    @property
    def due_s(self) -> int | None:
        """When the sweep has something to do: to end it, later to forget it; ``None`` is never."""
        return self.expires_s if self.ended_s is None else self.ended_s + KEPT_S

    @property
    def due_name(self) -> bytes | None:
        """Where it stands among those that end."""
        return None if self.due_s is None else f"{self.due_s:015d} {self.share_id}".encode()

    def is_over(self, now_s: float) -> bool:
        """Whether nobody may use it any more."""
        return self.ended_s is not None or self.is_expired(now_s)

    def is_expired(self, now_s: float) -> bool:
        """Whether its time has passed by this clock."""
        return self.expires_s is not None and self.expires_s <= now_s

    def is_stale(self, now_s: float) -> bool:
        """Whether it ended so long ago that it is to be forgotten."""
        return self.ended_s is not None and self.ended_s + KEPT_S <= now_s

    def encode(self) -> bytes:
        known = (self.root, self.type.value, self.name, self.description, self.creator, self.created_s)
        packed: bytes = msgpack.packb(
            [_SCHEMA, *known, self.expires_s, self.password_hash, self.ended_s, *self.rest]
        )
        return packed

    @classmethod
    def decode(cls, space_id: SpaceId, share_id: str, data: bytes) -> Share:
        schema, *fields = msgpack.unpackb(data)
        if schema != _SCHEMA:
            raise UnknownSchemaError(f"share of version {schema}")
        root, type_, name, description, creator, created_s, expires_s, password_hash, ended_s, *rest = fields
        return cls(
            share_id=ShareId(share_id),
            space_id=space_id,
            root=FileUuid(root),
            type=FileType(type_),
            name=name,
            description=description,
            creator=UserId(creator),
            created_s=created_s,
            expires_s=expires_s,
            password_hash=password_hash,
            ended_s=ended_s,
            rest=tuple(rest),
        )


def share_key(share_id: str) -> Key:
    """Return the key of a share's record, in its space."""
    return Key(f"share_{share_id}")


def due_steps(before: Share | None, after: Share | None) -> list[Step]:
    """Return the steps that keep the directory of ends true when a share changes, comes or goes."""
    old = None if before is None else before.due_name
    new = None if after is None else after.due_name
    steps: list[Step] = []
    if old == new:
        return steps
    if before is not None and old is not None:
        steps.append(Unlink(DUE, old, before.key.encode()))
    if after is not None and new is not None:
        steps.append(Link(DUE, new, after.key.encode()))
    return steps


def new_share_id(random_bytes: Callable[[int], bytes], space_id: SpaceId) -> ShareId:
    """Return a new id. Its tail marks the space, so that a share is found by its id alone."""
    return ShareId(new_id(random_bytes) + _mark(space_id))


def may_live_in(share_id: str, space_id: SpaceId) -> bool:
    """Whether a share with this id can be in this space; seldom wrong, and never when it says no."""
    return _ID.fullmatch(share_id) is not None and share_id.endswith(_mark(space_id))


def _mark(space_id: SpaceId) -> str:
    return f"ch{crc16(space_id.encode()):04x}"

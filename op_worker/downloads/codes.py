"""What is kept of a download code: whose rights it carries, what it leads to, since and until when. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack
from attrs import frozen

from cluster_worker.persistence.engine import Key, Scope
from onedata.ids import FileGuid, UserId
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller

DOWNLOADS = Scope("downloads")
CODES = Key("codes")
"""The directory of all codes."""
RECORD = "r"
_SCHEMA = 1


@frozen(kw_only=True)
class DownloadCode:
    """A download that was begun. Times in seconds since the epoch.

    Attributes:
        guid: the file or directory.
        follows: whether links to files stand for these files.
        start_s: when it was issued; ``start_seq`` is the newest number of the space's change feed then.
    """

    caller: Caller
    guid: FileGuid
    follows: bool
    start_s: float
    start_seq: int
    expires_s: float

    def encode(self) -> bytes:
        limits = self.caller.limits
        packed: bytes = msgpack.packb(
            [
                _SCHEMA,
                self.caller.user_id,
                limits.readonly,
                [sorted(paths) for paths in limits.paths],
                [sorted(ids) for ids in limits.object_ids],
                self.guid.pack(),
                self.follows,
                self.start_s,
                self.start_seq,
                self.expires_s,
                self.caller.share_proof,
            ]
        )
        return packed

    @classmethod
    def decode(cls, data: bytes) -> DownloadCode:
        fields: list[Any] = msgpack.unpackb(data)
        _, user_id, readonly, paths, ids, guid, follows, start_s, start_seq, expires_s, proof, *_ = fields
        limits = DataLimits(
            readonly=readonly,
            paths=tuple(frozenset(one) for one in paths),
            object_ids=tuple(frozenset(one) for one in ids),
        )
        return cls(
            caller=Caller.guest(proof) if user_id is None else Caller(UserId(user_id), limits),
            guid=FileGuid.unpack(guid),
            follows=follows,
            start_s=start_s,
            start_seq=start_seq,
            expires_s=expires_s,
        )


def name_of(code: str) -> str:
    """Return the name that a code is kept under, from which nobody can tell the code."""
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def key_of(name: str) -> Key:
    """Return the key of the record with this name."""
    return Key(f"download_{name}")

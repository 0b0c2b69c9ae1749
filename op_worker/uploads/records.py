"""What is kept of a resumable upload. Pure."""

from __future__ import annotations

from typing import Any

import msgpack
from attrs import frozen

from cluster_worker.persistence.engine import Key
from onedata.ids import FileGuid, SpaceId, UserId
from op_worker.files.model import CreateOptions, Existing, Target

UPLOADS = Key("uploads")
"""The directory of the uploads of a space."""
RECORD = "r"
_SCHEMA = 1


@frozen(kw_only=True)
class UploadTarget:
    """What an upload becomes: ``name`` in the directory ``parent``, new or, with ``overwrites``, instead of
    a file that is there. ``mode`` is ``None`` for the usual one."""

    parent: FileGuid
    name: str
    mode: int | None = None
    overwrites: bool = False

    @property
    def target(self) -> Target:
        return Target(self.parent, (self.name,))

    @property
    def options(self) -> CreateOptions:
        return CreateOptions(mode=self.mode, existing=Existing.UPDATE if self.overwrites else Existing.REFUSE)


@frozen(kw_only=True)
class Upload:
    """One upload.

    Attributes:
        offset_b: how many bytes are here for good.
        metadata: as the client sent it, to be told again.
        expires_s: when it is forgotten unless it goes on; seconds since the epoch.
        is_finished: whether the file was made.
        writer: the node that is writing now, empty for none; ``written_s`` is when it told so last.
    """

    upload_id: str
    owner: UserId
    becomes: UploadTarget
    size_b: int
    storage_id: str
    metadata: str
    expires_s: float
    offset_b: int = 0
    is_finished: bool = False
    writer: str = ""
    written_s: float = 0.0

    @property
    def space_id(self) -> SpaceId:
        return self.becomes.parent.space_id

    @property
    def key(self) -> Key:
        return key_of(self.upload_id)

    @property
    def is_complete(self) -> bool:
        """Whether every byte is here."""
        return self.offset_b == self.size_b

    def encode(self) -> bytes:
        becomes = self.becomes
        packed: bytes = msgpack.packb(
            [
                _SCHEMA,
                self.upload_id,
                self.owner,
                becomes.parent.pack(),
                becomes.name,
                becomes.mode,
                becomes.overwrites,
                self.size_b,
                self.storage_id,
                self.metadata,
                self.expires_s,
                self.offset_b,
                self.is_finished,
                self.writer,
                self.written_s,
            ]
        )
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Upload:
        fields: list[Any] = msgpack.unpackb(data)
        _, upload_id, owner, parent, name, mode, overwrites, *others = fields
        size_b, storage_id, metadata, expires_s, offset_b, is_finished, writer, written_s, *_ = others
        return cls(
            upload_id=upload_id,
            owner=UserId(owner),
            becomes=UploadTarget(parent=FileGuid.unpack(parent), name=name, mode=mode, overwrites=overwrites),
            size_b=size_b,
            storage_id=storage_id,
            metadata=metadata,
            expires_s=expires_s,
            offset_b=offset_b,
            is_finished=is_finished,
            writer=writer,
            written_s=written_s,
        )


def key_of(upload_id: str) -> Key:
    """Return the key of an upload's record."""
    return Key(f"upload_{upload_id}")

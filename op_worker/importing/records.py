"""What is kept of the import of a space, all in one document of it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import frozen

from cluster_worker.persistence.engine import Key
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.importing.tallying import NOTHING, Counts

IMPORT = Key("import")
CONFIG = "config"
SCAN = "scan"
NOTICES = "notices"
AUDIT = Key("import_audit")
"""The directory of the audit log."""


def charts_of(writer: str) -> str:
    """Return the field of the charts of one of those who count: ``SCAN`` or ``NOTICES``."""
    return f"charts:{writer}"


class ScanState(StrEnum):
    """Where a scan is; the last three are ends."""

    ENQUEUED = "enqueued"
    RUNNING = "running"
    ABORTING = "aborting"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        return self in (ScanState.COMPLETED, ScanState.FAILED, ScanState.ABORTED)


@frozen(kw_only=True)
class ScanStatus:
    """The last scan of a space. Times in seconds since the epoch, 0 for what has not happened.

    Attributes:
        scan_id: tells it from others; empty before the first.
        postponed: how many names were left to the next scan, because others changed them all the time.
        reason: why it failed.
    """

    scan_id: str = ""
    state: ScanState = ScanState.ENQUEUED
    started_s: float = 0.0
    ended_s: float = 0.0
    counts: Counts = NOTHING
    postponed: int = 0
    reason: str = ""
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        counts = self.counts
        return pack(
            [
                *(SCHEMA, self.scan_id, self.state.value, self.started_s, self.ended_s),
                (counts.created, counts.modified, counts.deleted, counts.unmodified, counts.failed),
                *(self.postponed, self.reason, *self.rest),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> ScanStatus:
        _, scan_id, state, started_s, ended_s, counts, postponed, reason, *rest = unpack(data, "scan")
        return cls(
            scan_id=scan_id,
            state=ScanState(state),
            started_s=started_s,
            ended_s=ended_s,
            counts=Counts(*counts),
            postponed=postponed,
            reason=reason,
            rest=tuple(rest),
        )


class NoticeState(StrEnum):
    """Whether changes on a storage are told of."""

    OFF = "off"
    STARTING = "starting"
    ON = "on"
    IMPOSSIBLE = "impossible"


@frozen(kw_only=True)
class NoticeStatus:
    """The notices of a space: how they are, why they are not on, and what they led to since they began."""

    state: NoticeState = NoticeState.OFF
    reason: str = ""
    watched: int = 0
    counts: Counts = NOTHING
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        counts = self.counts
        return pack(
            [
                *(SCHEMA, self.state.value, self.reason, self.watched),
                (counts.created, counts.modified, counts.deleted, counts.unmodified, counts.failed),
                *self.rest,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> NoticeStatus:
        _, state, reason, watched, counts, *rest = unpack(data, "notice status")
        return cls(
            state=NoticeState(state),
            reason=reason,
            watched=watched,
            counts=Counts(*counts),
            rest=tuple(rest),
        )

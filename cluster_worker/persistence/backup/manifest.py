"""The description of a backup, as a pure value and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

from cluster_worker.persistence.backup.errors import BackupDamaged

FORMAT = 1
FILE_NAME = "manifest.json"


@frozen
class Part:
    """The dump of one server.

    Attributes:
        server: where it came from, and its version.
        slots: the slots that it owned, of a cluster.
        history: its replication id and offset at that moment.
    """

    file: str
    server: str
    version: str
    history: str
    size_b: int
    sha256: str
    slots: Sequence[Sequence[int]] = ()


@frozen
class Manifest:
    """A backup.

    Attributes:
        topology: ``single``, ``sentinel`` or ``cluster``.
        began, ended: seconds since the epoch: what was acknowledged before ``began`` is in, what was sent
            after ``ended`` is not.
        keys, digest: how many keys hold data, and their logical digest; ``None`` when it was not looked into.
    """

    topology: str
    database: int
    began: float
    ended: float
    parts: Sequence[Part]
    keys: int | None
    digest: str | None

    def encode(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True).encode() + b"\n"


def read_manifest(data: bytes) -> Manifest:
    """Undo ``Manifest.encode``. Raises: BackupDamaged."""
    try:
        table = json.loads(data)
        if table.pop("format") != FORMAT:
            raise BackupDamaged("the manifest was written by another version")
        parts = [_part(one) for one in table.pop("parts")]
        manifest = Manifest(parts=parts, **table)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise BackupDamaged(f"the manifest is damaged: {exc}") from exc
    if not parts:
        raise BackupDamaged("the manifest tells of no parts")
    return manifest


def _part(table: Mapping[str, Any]) -> Part:
    part = Part(**table)
    if "/" in part.file or part.file in ("", ".", ".."):
        raise BackupDamaged(f"a part lies elsewhere: {part.file}")
    return part

"""Running SHA-256 hashes of uploads that this process received from the start. Pure."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

from attrs import define, field

MOST = 1000


@define(eq=False)
class RunningHash:
    """The hash of the first ``at_b`` bytes of an upload."""

    at_b: int = 0
    hasher: Any = field(factory=hashlib.sha256)


class RunningHashes:
    """Hashes by upload, the ones not used for longest dropped; what is missing is computed from the bytes."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[str, RunningHash] = OrderedDict()

    def take(self, upload_id: str, offset_b: int) -> RunningHash | None:
        """Take out the hash of an upload; ``None`` when it is not of exactly its first ``offset_b`` bytes."""
        found = self._known.pop(upload_id, None)
        if offset_b == 0:
            return RunningHash()
        return found if found is not None and found.at_b == offset_b else None

    def keep(self, upload_id: str, running: RunningHash) -> None:
        """Put a hash back."""
        self._known[upload_id] = running
        while len(self._known) > self._most:
            self._known.popitem(last=False)

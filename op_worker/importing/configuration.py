"""How the storage of a space is imported, as administrators chose it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import asdict, evolve, field, fields_dict, frozen
from attrs.validators import ge, le

LONGEST_INTERVAL_S = 366 * 86400
DEEPEST = 65535


class ImportMode(StrEnum):
    """Who says what is imported; chosen with the support of the space, for good."""

    AUTO = "auto"
    """The storage is scanned."""
    MANUAL = "manual"
    """Files are registered one by one."""


@frozen(kw_only=True)
class ScanOptions:
    """How a storage is scanned.

    Attributes:
        max_depth: how deep; 1 is what lies in the root of the storage.
        continuous: whether it is scanned again and again, ``interval_s`` after the end of each scan.
        notices: whether changes that the storage tells of are looked at, at once.
    """

    max_depth: int = field(default=DEEPEST, validator=[ge(1), le(DEEPEST)])
    continuous: bool = False
    interval_s: int = field(default=60, validator=[ge(1), le(LONGEST_INTERVAL_S)])
    detect_modifications: bool = True
    detect_deletions: bool = True
    notices: bool = True


@frozen(kw_only=True)
class ImportConfig:
    """The import of one space."""

    mode: ImportMode = ImportMode.AUTO
    options: ScanOptions = ScanOptions()

    @property
    def is_auto(self) -> bool:
        return self.mode is ImportMode.AUTO

    def changed(self, options: Mapping[str, Any]) -> ImportConfig:
        """Return this with some options changed. Raises: ValueError for one out of its range."""
        return evolve(self, options=evolve(self.options, **options))

    def encode(self) -> bytes:
        return json.dumps({"mode": self.mode.value, "options": asdict(self.options)}).encode()

    @classmethod
    def decode(cls, data: bytes) -> ImportConfig:
        stored = json.loads(data)
        known = fields_dict(ScanOptions)
        options = {name: value for name, value in stored["options"].items() if name in known}
        return cls(mode=ImportMode(stored["mode"]), options=ScanOptions(**options))

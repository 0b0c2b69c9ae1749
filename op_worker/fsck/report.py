"""What a check is asked for, and what it came to. Pure."""

from __future__ import annotations

from collections import Counter

from attrs import define, field, frozen

from onedata.ids import SpaceId
from op_worker.fsck.findings import KINDS, Code, Finding, Mending

MOST_FINDINGS = 10_000
"""So many findings are kept of one check; the others are counted only."""


@frozen
class Options:
    """What a check does besides looking.

    Attributes:
        contents: whether contents are read and compared with their digests.
        repairs: codes that are repaired.
        deletes_orphans: whether unknown files of the storage are removed instead of adopted.
        is_trial: whether repairs are only told.
        has_storage: whether the storage is looked at.
        rate_b: bytes of content that are read a second at most; 0 is no limit.
    """

    contents: bool = False
    repairs: frozenset[Code] = frozenset()
    deletes_orphans: bool = False
    is_trial: bool = False
    has_storage: bool = True
    rate_b: int = 0


SAFE = frozenset(code for code, kind in KINDS.items() if kind.mending is Mending.SAFE)
"""What is repaired when no codes are named."""


@define
class Report:
    """What a check of a space came to. ``is_settled`` is false when counters could not be compared."""

    space_id: SpaceId
    counts: Counter[Code] = field(factory=Counter)
    repaired: Counter[Code] = field(factory=Counter)
    findings: list[Finding] = field(factory=list)
    looked_at: int = 0
    is_settled: bool = True

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong, or nothing is any more, as far as it was looked at."""
        return all(self.repaired[code] >= count for code, count in self.counts.items())

    def told(self) -> dict[str, object]:
        """Return it for JSON, without the findings."""
        return {
            "spaceId": self.space_id,
            "clean": self.is_clean,
            "settled": self.is_settled,
            "found": {code.value: count for code, count in sorted(self.counts.items())},
            "repaired": {code.value: count for code, count in sorted(self.repaired.items()) if count},
        }

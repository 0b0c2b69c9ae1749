"""What came of each enrolled helper in the conformance suite, as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import ClassVar

import pytest

KINDS = ("passed", "failed", "error", "skipped")
COLUMNS = (*KINDS, "not applicable")


class Outcomes:
    """Counts by helper, and the reasons for skips."""

    PROPERTY: ClassVar[str] = "storage helper"
    """The property of a test's report that names the helper."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def does_not_apply(self, helper: str) -> None:
        """Note that a test asks for a power that a helper does not have."""
        self._counts[helper]["not applicable"] += 1

    def note(self, kind: str, report: pytest.TestReport) -> None:
        """Note a report of a test; those of other suites are passed over."""
        helper = dict(getattr(report, "user_properties", ())).get(self.PROPERTY)
        if helper is None:
            return
        self._counts[str(helper)][kind] += 1
        if kind == "skipped":
            self._reasons[str(helper)][_reason(report)] += 1

    def table(self) -> Sequence[str]:
        """Return the lines of the table, and of the reasons for each skip; none when nothing ran."""
        ran = {name: counts for name, counts in self._counts.items() if any(counts[kind] for kind in KINDS)}
        if not ran:
            return []
        width = max(len("helper"), *map(len, ran))
        lines = [f"{'helper':{width}}  {'  '.join(COLUMNS)}"]
        for name, counts in sorted(ran.items()):
            cells = "  ".join(f"{counts[column]:>{len(column)}}" for column in COLUMNS)
            lines.append(f"{name:{width}}  {cells}")
        skips = [
            f"{name}: {number} skipped: {reason}"
            for name, reasons in sorted(self._reasons.items())
            for reason, number in sorted(reasons.items())
        ]
        return [*lines, *skips]


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)

"""What one run found, and how it is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_COLUMNS = (
    "fault",
    "acknowledged",
    "lost",
    "half there",
    "wrong answers",
    "longest pause (s)",
    "full service meanwhile (s)",
    "full service after healing (s)",
    "linearizable",
)


@frozen(kw_only=True)
class Figures:
    """One row. Times in seconds.

    Attributes:
        acknowledged: how many operations the clients were told that they are done.
        longest_pause_s: the longest time in which one client had no operation done.
        meanwhile_s: from the injection until everything was served through the nodes that should go on;
            None when there are none, or when they did not.
        after_s: from the healing until everything was served through all nodes; None for never.
        complaints: whatever else should not be.
    """

    fault: str
    acknowledged: int
    lost: Sequence[str]
    half_there: Sequence[str]
    wrong_answers: Sequence[str]
    longest_pause_s: float
    meanwhile_s: float | None
    after_s: float | None
    not_linearizable: Sequence[str]
    complaints: Sequence[str]
    took_s: float

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Figures:
        """Return what ``as_json`` wrote."""
        return cls(**values)

    def as_json(self) -> Mapping[str, Any]:
        """Return plain values."""
        return asdict(self)

    def problems(self) -> Sequence[str]:
        """Return everything that is not as it must be, in words."""
        named = {
            "lost": self.lost,
            "half there": self.half_there,
            "wrong answer": self.wrong_answers,
            "not linearizable": self.not_linearizable,
            "complaint": self.complaints,
        }
        found = [f"{what}: {which}" for what, several in named.items() for which in several]
        return found if self.after_s is not None else [*found, "no full service after the healing"]


def table(rows: Iterable[Figures]) -> str:
    """Return the rows as a Markdown table."""
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    return "\n".join([*lines, *(_line(_cells(row)) for row in rows)]) + "\n"


def _cells(row: Figures) -> Sequence[str]:
    return (
        row.fault,
        str(row.acknowledged),
        str(len(row.lost)),
        str(len(row.half_there)),
        str(len(row.wrong_answers)),
        f"{row.longest_pause_s:.1f}",
        _seconds(row.meanwhile_s, "-"),
        _seconds(row.after_s, "never"),
        "no" if row.not_linearizable else "yes",
    )


def _seconds(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:.1f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def put_between_marks(page: str, text: str) -> str:
    """Return a page with ``text`` between its marks. Raises: ValueError when it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text}{END}{after}"

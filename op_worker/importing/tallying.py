"""What a look at a storage came to: counts, and what is told in the audit log. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field, frozen

MOST_LINES = 200
"""The most lines that are kept until the next commit takes them along."""
MOST_TEXT = 500


@frozen
class Counts:
    """How many files and directories were found how."""

    created: int = 0
    modified: int = 0
    deleted: int = 0
    unmodified: int = 0
    failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.created + other.created,
            self.modified + other.modified,
            self.deleted + other.deleted,
            self.unmodified + other.unmodified,
            self.failed + other.failed,
        )


NOTHING = Counts()


@define(eq=False)
class Tally:
    """Counts that grow, lines for the audit, and how much was left to the next look.

    What is counted in a part of another tally is counted there, too.
    """

    counts: Counts = NOTHING
    lines: list[str] = field(factory=list)
    left_out: int = 0
    postponed: int = 0
    _whole: Tally | None = None

    def part(self) -> Tally:
        """Return a tally that begins with nothing, for a part of the work."""
        return Tally(whole=self)

    def created(self, count: int) -> None:
        self._add(Counts(created=count))

    def modified(self, count: int) -> None:
        self._add(Counts(modified=count))

    def unmodified(self, count: int) -> None:
        self._add(Counts(unmodified=count))

    def deleted(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._add(Counts(deleted=1))
            self.note(f"deleted {printable(path)}")

    def failed(self, path: str, reason: str) -> None:
        self._add(Counts(failed=1))
        self.note(f"failed {printable(path)}: {reason}")

    def postpone(self, count: int) -> None:
        """Count names that are left to the next look."""
        self.postponed += count
        if self._whole is not None:
            self._whole.postpone(count)

    def _add(self, counts: Counts) -> None:
        self.counts += counts
        if self._whole is not None:
            self._whole._add(counts)

    def note(self, line: str) -> None:
        """Add a line to the audit; what comes too fast is only counted."""
        if self._whole is not None:
            self._whole.note(line)
        elif len(self.lines) < MOST_LINES:
            self.lines.append(line[:MOST_TEXT])
        else:
            self.left_out += 1

    def take_lines(self) -> list[str]:
        """Return the lines so far, and begin anew."""
        lines, self.lines = self.lines, []
        if self.left_out:
            lines.append(f"{self.left_out} lines were left out")
            self.left_out = 0
        return lines


def printable(path: str) -> str:
    """Return a path as it can be shown, whatever bytes its names have."""
    return path.encode("utf-8", "backslashreplace").decode()

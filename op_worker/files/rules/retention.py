"""What keeps a file as it is: retention periods and holds, and how they may change. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any

from attrs import evolve, frozen

from onedata.errors import Errno, Posix


class Kept(Enum):
    """The mark of a part that a change leaves as it is."""

    AS_IT_IS = "as it is"


AS_IT_IS = Kept.AS_IT_IS


@frozen
class Period:
    """From ``start_ms`` up to, not including, ``end_ms``; milliseconds since the epoch."""

    start_ms: int
    end_ms: int

    def covers(self, now_ms: int) -> bool:
        """Whether the period is in force."""
        return self.start_ms <= now_ms < self.end_ms


@frozen
class Immutability:
    """What keeps a file as it is: a retention period, and holds, until they are released.

    ``label`` says why it is retained, in the user's words. ``autodelete`` has it removed after the period.
    """

    period: Period | None = None
    label: str = ""
    autodelete: bool = False
    holds: tuple[str, ...] = ()

    @property
    def may_bind(self) -> bool:
        """Whether it binds, did, or will."""
        return self.period is not None or bool(self.holds)

    @property
    def due_ms(self) -> int | None:
        """When the file is to be removed; ``None`` for never."""
        return self.period.end_ms if self.autodelete and self.period is not None else None

    def is_retained(self, now_ms: int) -> bool:
        """Whether the retention period is in force."""
        return self.period is not None and self.period.covers(now_ms)

    def binds(self, now_ms: int) -> bool:
        """Whether the file has to stay as it is."""
        return bool(self.holds) or self.is_retained(now_ms)

    def packed(self) -> Sequence[Any]:
        """Return the stored form."""
        period = None if self.period is None else [self.period.start_ms, self.period.end_ms]
        return [period, self.label, self.autodelete, list(self.holds)]

    @classmethod
    def unpacked(cls, stored: Sequence[Any] | None) -> Immutability | None:
        """Undo ``packed``; ``None`` stays."""
        if stored is None:
            return None
        period, label, autodelete, holds, *_ = stored
        return cls(None if period is None else Period(*period), label, autodelete, tuple(holds))


FREE = Immutability()


@frozen(kw_only=True)
class ImmutabilityChange:
    """A change of what keeps a file: what is ``AS_IT_IS`` stays, ``None`` is removed.

    ``holds`` names all that the file is to have.
    """

    period: Period | Kept | None = AS_IT_IS
    label: str | Kept | None = AS_IT_IS
    autodelete: bool | Kept = AS_IT_IS
    holds: Collection[str] | Kept = AS_IT_IS

    @property
    def changes_holds(self) -> bool:
        """Whether holds are to change."""
        return not isinstance(self.holds, Kept)

    @property
    def changes_retention(self) -> bool:
        """Whether anything but holds is to change."""
        return not (self.period is AS_IT_IS and self.label is AS_IT_IS and self.autodelete is AS_IT_IS)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.changes_holds and not self.changes_retention

    def followed_by(self, second: ImmutabilityChange) -> ImmutabilityChange:
        """Return the change that does this one, then another."""
        return ImmutabilityChange(
            period=self.period if second.period is AS_IT_IS else second.period,
            label=self.label if second.label is AS_IT_IS else second.label,
            autodelete=self.autodelete if second.autodelete is AS_IT_IS else second.autodelete,
            holds=second.holds if second.changes_holds else self.holds,
        )

    def applied(
        self, present: Immutability | None, now_ms: int, above: Collection[str] = ()
    ) -> Immutability | None:
        """Return what keeps the file after the change; ``None`` for nothing.

        Args:
            above: holds of directories above; named, they do not become the file's own.

        Raises: Posix(EPERM) for a period in force that would end earlier, for a label or an automatic removal
            that would change during it, and for holds that would go.
        """
        old = FREE if present is None else present
        new = old
        if not isinstance(self.period, Kept):
            new = evolve(new, period=self.period)
        if not isinstance(self.label, Kept):
            new = evolve(new, label=self.label or "")
        if not isinstance(self.autodelete, Kept):
            new = evolve(new, autodelete=self.autodelete)
        if not isinstance(self.holds, Kept):
            foreign = set(above) - set(old.holds)
            new = evolve(new, holds=tuple(sorted(set(self.holds) - foreign)))
        _require_no_less(old, new, now_ms)
        return None if new == FREE else new


NO_CHANGE = ImmutabilityChange()


def _require_no_less(old: Immutability, new: Immutability, now_ms: int) -> None:
    if gone := sorted(set(old.holds) - set(new.holds)):
        raise Posix(Errno.EPERM, reason=f"holds can be added only; {', '.join(gone)} would go")
    if old.period is None or not old.is_retained(now_ms):
        return
    if new.period is None or not new.period.covers(now_ms) or new.period.end_ms < old.period.end_ms:
        raise Posix(Errno.EPERM, reason="a retention period in force can be extended only")
    if (old.label, old.autodelete) != (new.label, new.autodelete):
        raise Posix(Errno.EPERM, reason="during its retention period only the period itself can be extended")

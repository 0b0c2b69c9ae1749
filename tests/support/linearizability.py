"""Whether what clients saw of a register could have come from one that does one thing at a time.

The search of Wing and Gong in the form that Lowe gave it: operations are taken out of the history in an
order that respects time; a pair of (what was taken, value) that was met before is not tried again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from enum import Enum

from attrs import define, field, frozen


class Kind(Enum):
    """What an operation does."""

    READ = "read"
    WRITE = "write"


@frozen(kw_only=True)
class Operation:
    """One operation on one register, times in seconds of one clock.

    Attributes:
        value: what was written, or what a completed read returned.
        completed: None for an operation that nobody knows the outcome of: it may take effect at any time
            after it was invoked, or never.
    """

    kind: Kind
    value: Hashable
    invoked: float
    completed: float | None
    client: str = ""

    def __str__(self) -> str:
        end = "?" if self.completed is None else f"{self.completed:.3f}"
        return f"{self.client} {self.kind.value} {self.value!r} [{self.invoked:.3f}, {end}]"


@frozen
class Verdict:
    """``stuck_at`` are the operations of which none could be next, when there is no order that fits."""

    is_linearizable: bool
    stuck_at: Sequence[Operation] = ()


@define(eq=False)
class _Event:
    """The beginning or the end of an operation, in a list whose members take themselves out and in."""

    number: int
    operation: Operation
    end: _Event | None = None
    before: _Event | None = field(default=None, repr=False)
    after: _Event | None = field(default=None, repr=False)

    def take_out(self) -> None:
        """Leave the list, together with the end."""
        assert self.end is not None
        for event in (self, self.end):
            assert event.before is not None
            event.before.after = event.after
            if event.after is not None:
                event.after.before = event.before

    def put_back(self) -> None:
        """Undo the last ``take_out`` that was not undone."""
        assert self.end is not None
        for event in (self.end, self):
            assert event.before is not None
            event.before.after = event
            if event.after is not None:
                event.after.before = event


def check(operations: Iterable[Operation], initial: Hashable = None) -> Verdict:
    """Judge the history of one register that held ``initial`` before all of it."""
    return _Search(_relevant(list(operations)), initial).run()


def _relevant(operations: Sequence[Operation]) -> Sequence[Operation]:
    """Leave out what can never make a history wrong: open reads, and open writes that nobody saw.

    An order that has an open write which no read returns stays right without it.
    """
    seen = {one.value for one in operations if one.kind is Kind.READ and one.completed is not None}
    return [
        one
        for one in operations
        if one.completed is not None or (one.kind is Kind.WRITE and one.value in seen)
    ]


def _linked(operations: Sequence[Operation]) -> _Event:
    """Return the head of the list of all beginnings and ends in order of time.

    A beginning comes before an end of the same moment: they may have overlapped.
    """
    events: list[tuple[float, int, _Event]] = []
    for number, operation in enumerate(operations):
        end = _Event(number, operation)
        last = float("inf") if operation.completed is None else operation.completed
        events.append((operation.invoked, 0, _Event(number, operation, end)))
        events.append((last, 1, end))
    events.sort(key=lambda one: one[:2])
    head = _Event(-1, Operation(kind=Kind.READ, value=None, invoked=0, completed=0))
    previous = head
    for _, _, event in events:
        previous.after, event.before = event, previous
        previous = event
    return head


@define(eq=False)
class _Search:
    operations: Sequence[Operation]
    value: Hashable
    taken: int = 0
    _met: set[tuple[int, Hashable]] = field(factory=set)
    _path: list[tuple[_Event, Hashable]] = field(factory=list)
    _furthest: int = -1
    _stuck_at: Sequence[Operation] = ()

    def run(self) -> Verdict:
        """Search depth first."""
        head = _linked(self.operations)
        event = head.after
        while head.after is not None:
            assert event is not None  # the last of the list is an end, where the search turns back
            if event.end is not None:
                event = head.after if self._take(event) else event.after
                continue
            self._note(head)
            if not self._path:
                return Verdict(False, self._stuck_at)
            undone, self.value = self._path.pop()
            self.taken &= ~(1 << undone.number)
            undone.put_back()
            event = undone.after
        return Verdict(True)

    def _take(self, event: _Event) -> bool:
        """Take an operation as the next one, unless it does not fit or was tried in the same situation."""
        operation = event.operation
        if operation.kind is Kind.READ and operation.value != self.value:
            return False
        situation = (self.taken | 1 << event.number, operation.value)
        if situation in self._met:
            return False
        self._met.add(situation)
        self._path.append((event, self.value))
        self.taken, self.value = situation
        event.take_out()
        return True

    def _note(self, head: _Event) -> None:
        """Remember what could have been next where the search came furthest."""
        if len(self._path) <= self._furthest:
            return
        self._furthest = len(self._path)
        candidates = []
        event = head.after
        while event is not None and event.end is not None:
            candidates.append(event.operation)
            event = event.after
        self._stuck_at = candidates

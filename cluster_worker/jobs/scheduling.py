"""Whose turn it is: priorities first, then groups in turn, then their tasks in turn. Pure.

``Turns`` gives out a bounded number of slots. Who was served last among equals is the last to be served
again, so within one priority nobody waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

_REMEMBERED = 4096


class Waiting(Protocol):
    """What waits for its turn. ``task`` tells tasks apart."""

    @property
    def task(self) -> str: ...

    @property
    def group(self) -> str: ...

    @property
    def priority(self) -> int: ...


W = TypeVar("W", bound=Waiting)


class Turns(Generic[W]):
    """Slots and who waits for one. What waits is told apart by identity.

    Memory is that of who waits, and of some thousand groups and tasks that were served before.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: dict[tuple[int, str, str], list[W]] = {}
        self._busy = 0
        self._served = 0
        self._groups: dict[str, int] = {}
        self._tasks: dict[str, int] = {}

    @property
    def busy(self) -> int:
        """How many slots are taken."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def ask(self, one: W) -> None:
        """Let ``one`` wait; ``grant`` tells when it has a slot."""
        self._waiting.setdefault((one.priority, one.group, one.task), []).append(one)

    def withdraw(self, one: W) -> None:
        """Let ``one`` not wait any more."""
        key = (one.priority, one.group, one.task)
        queue = self._waiting[key]
        queue.remove(one)
        if not queue:
            del self._waiting[key]

    def waiting_of(self, task: str) -> list[W]:
        """Those of a task that wait."""
        return [one for key, queue in self._waiting.items() if key[2] == task for one in queue]

    def free(self) -> None:
        """Give a slot back."""
        self._busy -= 1

    def grant(self) -> W | None:
        """Give a slot to who is next; ``None`` when none is free or nobody waits."""
        if not self._waiting:
            self._groups.clear()
            self._tasks.clear()
            return None
        if self._busy >= self.limit:
            return None
        key = min(self._waiting, key=self._rank)
        queue = self._waiting[key]
        one = queue.pop(0)
        if not queue:
            del self._waiting[key]
        self._busy += 1
        self._served += 1
        self._groups[one.group] = self._tasks[one.task] = self._served
        if len(self._tasks) > _REMEMBERED:
            self._forget()
        return one

    def _forget(self) -> None:
        """Forget when groups and tasks were served that do not wait now."""
        groups = {group for _, group, _ in self._waiting}
        tasks = {task for _, _, task in self._waiting}
        self._groups = {group: at for group, at in self._groups.items() if group in groups}
        self._tasks = {task: at for task, at in self._tasks.items() if task in tasks}

    def _rank(self, key: tuple[int, str, str]) -> tuple[int, int, int]:
        priority, group, task = key
        return (-priority, self._groups.get(group, 0), self._tasks.get(task, 0))


def shortlist(tasks: Iterable[W], most: int) -> Sequence[W]:
    """Return up to ``most`` of ``tasks`` (in order of age) as they would be served: no group is left out
    for another one's many tasks, as far as ``most`` goes."""
    groups: dict[tuple[int, str], list[W]] = {}
    for task in tasks:
        groups.setdefault((-task.priority, task.group), []).append(task)
    ranked = [
        (priority, place, task) for (priority, _), queue in groups.items() for place, task in enumerate(queue)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return [task for _, _, task in ranked[:most]]

"""Tasks in the store, for everybody: begun, looked at, listed, wished to be cancelled, forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.jobs import audit
from cluster_worker.jobs.audit import AuditEntry
from cluster_worker.jobs.layout import (
    AGAIN,
    CANCEL,
    ENDED,
    INDEXES,
    JOB,
    NEWS,
    TASK,
    Stored,
    audit_key,
    found_in_index,
    listed,
    master_key,
    masters_key,
    stored_of,
    task_key,
    unlisted,
)
from cluster_worker.jobs.task import MasterJob, Task, TaskId, TaskStatus
from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Delete,
    Engine,
    Key,
    Link,
    PreconditionFailed,
    Put,
    Scope,
    Step,
    Unlink,
)

KEEP_S = audit.KEEP_S
"""How long a task is shown after its end."""
MOST_ENDED = 1000
"""How many tasks that ended a scope shows, the newest."""
_AT_ONCE = 500


@frozen
class Tasks:
    """Every method may raise ``PersistenceUnavailable``."""

    _engine: Engine

    async def read(self, task_id: TaskId) -> Stored | None:
        """Return a task; ``None`` when there is none of this id."""
        found = await self._engine.get(task_id.scope, task_key(task_id), [TASK, CANCEL])
        return stored_of(task_id, found)

    async def start(self, task_id: TaskId, task: Task, now_s: float) -> bool:
        """Begin a task with one master, unless one of this id is open; tell whether it was begun now.

        A task that has ended is begun anew, and its audit goes on.
        """
        while True:
            before = await self.read(task_id)
            if before is not None and before.task.status.is_open:
                await self.tell(task_id.scope)  # who began it may have died before he told
                return False
            try:
                await self._engine.commit(task_id.scope, Batch(_first_steps(task_id, task, before, now_s)))
            except PreconditionFailed:
                continue  # somebody else was faster; the next look tells with what
            await self.tell(task_id.scope)
            return True

    async def do_again(self, task_id: TaskId, task: Task, now_s: float) -> None:
        """Begin a task; one of this id that is ongoing gets one more first master before it ends."""
        while not await self.start(task_id, task, now_s):
            await self._engine.commit(task_id.scope, Batch([Put(task_key(task_id), AGAIN, b"")]))
            found = await self.read(task_id)
            if found is not None and found.task.status.is_open:
                return  # the wish was there before the end

    async def cancel(self, task_id: TaskId) -> Stored | None:
        """Wish that a task is cancelled; return it as it was, ``None`` when there is none."""
        while True:
            found = await self.read(task_id)
            if found is None or found.is_unwanted or not found.task.status.is_open:
                return found
            wish = Put(task_key(task_id), CANCEL, b"", expect=ABSENT)
            present = _unchanged(found)
            try:
                await self._engine.commit(task_id.scope, Batch([wish, present]))
            except PreconditionFailed:
                continue
            await self.tell(task_id.scope)
            return found

    async def tell(self, scope: Scope) -> None:
        """Let every node look at the tasks of a scope soon."""
        await self._engine.commit(NEWS, Batch((), announce=[Key(scope)]))

    async def older(
        self, scope: Scope, status: TaskStatus, before: bytes | None, limit: int
    ) -> Sequence[tuple[bytes, Stored]]:
        """Return tasks of a status, the newest first, older than the index name ``before``."""
        index = INDEXES[status]
        if before is None:
            start, offset = None, max(0, await self._engine.count(scope, index) - limit)
        else:
            start, offset = before, -limit
        found = await self._engine.page_from(scope, index, start, offset, limit, [TASK, CANCEL])
        items = [item for item in found if before is None or item.entry.name < before]
        pairs = [(item.entry.name, found_in_index(scope, item)) for item in reversed(items)]
        return [(name, stored) for name, stored in pairs if stored is not None]

    async def open(self, scope: Scope, most: int) -> Sequence[Stored]:
        """Return up to ``most`` tasks of a scope that have not ended: ongoing ones, then by age."""
        found: list[Stored] = []
        for status in (TaskStatus.ONGOING, TaskStatus.SCHEDULED):
            after: bytes | None = None
            while len(found) < most:
                size = min(_AT_ONCE, most - len(found))
                page = await self._engine.page(scope, INDEXES[status], after, size, [TASK, CANCEL])
                found.extend(one for item in page if (one := found_in_index(scope, item)) is not None)
                if len(page) < size:
                    break
                after = page[-1].entry.name
        return found

    async def masters(self, task_id: TaskId, limit: int) -> Sequence[MasterJob]:
        """Return waiting masters, the deepest first; those that are being done among them."""
        found = await self._engine.page(task_id.scope, masters_key(task_id), None, limit, [JOB])
        return [MasterJob.decode(item.documents[JOB].data) for item in found if JOB in item.documents]

    async def audit(self, task_id: TaskId, after: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return entries of the audit with numbers greater than ``after``, in order."""
        name = None if after is None else audit.name_of(after)
        found = await self._engine.page(task_id.scope, audit_key(task_id), name, limit, ())
        return [AuditEntry.found(item.entry) for item in found]

    async def trim(self, task_id: TaskId, now_s: float) -> None:
        """Forget what the audit has too much of."""
        directory, scope = audit_key(task_id), task_id.scope
        count = await self._engine.count(scope, directory)
        found = await self._engine.page(scope, directory, None, _AT_ONCE, ())
        steps = audit.outdated(directory, [item.entry for item in found], count, now_s)
        await self._engine.commit(scope, Batch(steps))

    async def forget_ended(self, scope: Scope, now_s: float) -> int:
        """Forget tasks that ended long ago, and those that are too many; return how many."""
        surplus = await self._engine.count(scope, ENDED) - MOST_ENDED
        count = 0
        for place, item in enumerate(await self._engine.page(scope, ENDED, None, _AT_ONCE, [TASK])):
            stored = found_in_index(scope, item)
            if stored is None or (place >= surplus and stored.task.ended_s > now_s - KEEP_S):
                continue
            try:
                await self._forget(stored)
            except PreconditionFailed:
                continue  # it was begun anew meanwhile
            count += 1
        return count

    async def _forget(self, stored: Stored) -> None:
        task_id, directory = stored.id, audit_key(stored.id)
        present = _unchanged(stored)
        while found := await self._engine.page(task_id.scope, directory, None, _AT_ONCE, ()):
            steps = [Unlink(directory, item.entry.name, item.entry.value) for item in found]
            await self._engine.commit(task_id.scope, Batch([present, *steps]))
        last = [Delete(task_key(task_id)), unlisted(task_id, stored.task)]
        await self._engine.commit(task_id.scope, Batch([present, *last]))


def beginning(task_id: TaskId, task: Task, now_s: float) -> list[Step]:
    """Return the steps that begin a task of an id that was never used before."""
    return _first_steps(task_id, task, None, now_s)


def new_master_steps(task_id: TaskId, job: MasterJob) -> list[Step]:
    """Return the steps that let a master wait."""
    key = master_key(task_id, job.number)
    return [
        Put(key, JOB, job.encode(), expect=ABSENT),
        Link(masters_key(task_id), job.name.encode(), key.encode()),
    ]


def end_master_steps(task_id: TaskId, job: MasterJob) -> list[Step]:
    """Return the steps that end a master; they hold once."""
    key = master_key(task_id, job.number)
    return [Unlink(masters_key(task_id), job.name.encode(), key.encode()), Delete(key)]


def _first_steps(task_id: TaskId, task: Task, before: Stored | None, now_s: float) -> list[Step]:
    """Return the steps that begin a task; all its masters are gone when it was there before and has ended."""
    if before is not None:
        task = evolve(task, audited=before.task.audited)
    entries = audit.written(audit_key(task_id), task.audited, now_s, [f"scheduled in pool {task.pool}"])
    task = evolve(task.delegated(1), audited=task.audited + len(entries))
    revision = ABSENT if before is None else before.revision
    steps: list[Step] = [Put(task_key(task_id), TASK, task.encode(), expect=revision)]
    if before is not None:
        wishes = [Delete(task_key(task_id), wish) for wish in (CANCEL, AGAIN)]
        steps.extend((*wishes, unlisted(task_id, before.task)))
    master = MasterJob(0, 0, task.payload)
    return [*steps, listed(task_id, task), *new_master_steps(task_id, master), *entries]


def _unchanged(stored: Stored) -> Step:
    return Check(task_key(stored.id), TASK, stored.revision)

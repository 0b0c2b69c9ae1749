"""Where tasks lie in their scope: documents, indexes by status, waiting masters, audit. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.jobs.task import Task, TaskId, TaskStatus
from cluster_worker.persistence.engine import Document, Entry, Key, Link, Resolved, Scope, Step, Unlink

TASK, CANCEL, AGAIN, JOB = "t", "c", "a", "j"
"""The fields of a task, of the wishes to cancel it and to do it once more, and of a master."""
NEWS = Scope("jobs")
"""Its feed tells in which scopes there is news of tasks; also a scope for tasks that belong to no space."""
INDEXES: Mapping[TaskStatus, Key] = {
    TaskStatus.SCHEDULED: Key("tasks:waiting"),
    TaskStatus.ONGOING: Key("tasks:ongoing"),
    TaskStatus.FINISHED: Key("tasks:ended"),
    TaskStatus.CANCELLED: Key("tasks:ended"),
}
ENDED = INDEXES[TaskStatus.FINISHED]


@frozen
class Stored:
    """A task as it was read: with its revision, and whether it is to be cancelled."""

    id: TaskId
    task: Task
    revision: int
    is_unwanted: bool


def task_key(task_id: TaskId) -> Key:
    """The document of a task."""
    return Key(f"task:{task_id.name}")


def masters_key(task_id: TaskId) -> Key:
    """The directory of its waiting masters."""
    return Key(f"masters:{task_id.name}")


def master_key(task_id: TaskId, number: int) -> Key:
    """The document of a waiting master."""
    return Key(f"master:{task_id.name}:{number}")


def audit_key(task_id: TaskId) -> Key:
    """The directory of its audit."""
    return Key(f"audit:{task_id.name}")


def index_name(task_id: TaskId, task: Task) -> bytes:
    """The name of a task in each index, in order of age."""
    return f"{max(0, round(task.created_s * 1000)):012x}{task_id.name}".encode()


def listed(task_id: TaskId, task: Task) -> Step:
    """The step that enters a task into the index of its status."""
    return Link(INDEXES[task.status], index_name(task_id, task), task_key(task_id).encode())


def unlisted(task_id: TaskId, task: Task) -> Step:
    """The step that takes a task out of the index of its status."""
    return Unlink(INDEXES[task.status], index_name(task_id, task), task_key(task_id).encode())


def relisted(task_id: TaskId, before: Task, after: Task) -> list[Step]:
    """The steps that follow a change of status."""
    if INDEXES[before.status] == INDEXES[after.status]:
        return []
    return [unlisted(task_id, before), listed(task_id, after)]


def id_of_entry(scope: Scope, entry: Entry) -> TaskId:
    """The task that an entry of an index is of."""
    return TaskId(scope, entry.name[12:].decode())


def stored_of(task_id: TaskId, documents: Mapping[str, Document]) -> Stored | None:
    """Return a task that was read with the fields ``TASK`` and ``CANCEL``."""
    found = documents.get(TASK)
    if found is None:
        return None
    return Stored(task_id, Task.decode(found.data), found.revision, CANCEL in documents)


def found_in_index(scope: Scope, item: Resolved) -> Stored | None:
    """Return the task of an entry of an index that was read with its documents."""
    return stored_of(id_of_entry(scope, item.entry), item.documents)

"""Background jobs at the admin door: listed, looked at, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cluster_worker.http.params import Choice, Integer, Param, Text, parse_query, sanitise
from cluster_worker.jobs.audit import AuditEntry
from cluster_worker.jobs.layout import Stored
from cluster_worker.jobs.service import Jobs, NoSuchTask, NotCancellable
from cluster_worker.jobs.task import BadTaskId, TaskId, TaskStatus
from onedata.errors import Forbidden, NotFound
from op_worker.http.panel.table import PanelRoute

_STATUSES = tuple(status.value for status in TaskStatus)
_LIST = (
    Param("status", Choice(_STATUSES), default=TaskStatus.ONGOING.value),
    Param("pool", Text()),
    Param("group", Text()),
    Param("limit", Integer(1, 1000), default=100),
    Param("token", Text()),
)
_AUDIT = (
    Param("after", Integer(0)),
    Param("limit", Integer(1, 1000), default=100),
)


@frozen(eq=False)
class JobsPanel:
    """Parses queries, asks the jobs, renders.

    Every method may raise an ``OnedataError`` of a wrong parameter, and ``PersistenceUnavailable``.
    """

    _jobs: Jobs

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        one = "/provider/jobs/<job_id>"
        return [
            PanelRoute(method="GET", path="/provider/jobs", answer=lambda call: self.list(call.query)),
            PanelRoute(method="GET", path=one, answer=lambda call: self.status(call.ids["job_id"])),
            PanelRoute(
                method="GET",
                path=f"{one}/audit",
                answer=lambda call: self.audit(call.ids["job_id"], call.query),
            ),
            PanelRoute(
                method="DELETE", path=one, answer=lambda call: self.cancel(call.ids["job_id"]), status=202
            ),
        ]

    async def list(self, query: bytes) -> dict[str, object]:
        """Return a page of tasks of one status, the newest first."""
        given = sanitise(_LIST, parse_query(query))
        status = TaskStatus(given.pop("status"))
        page = await self._jobs.list(status, **given)
        return {"jobs": [_task(one) for one in page.tasks], "nextPageToken": page.next_token}

    async def status(self, text: str) -> dict[str, object]:
        """Return a task. Raises: NotFound."""
        try:
            return _task(await self._jobs.status(_id(text)))
        except NoSuchTask:
            raise NotFound from None

    async def audit(self, text: str, query: bytes) -> dict[str, object]:
        """Return what happened to a task, in order. Raises: NotFound."""
        given: Mapping[str, Any] = sanitise(_AUDIT, parse_query(query))
        try:
            entries = await self._jobs.audit(_id(text), **given)
        except NoSuchTask:
            raise NotFound from None
        last = entries[-1].number if len(entries) == given["limit"] else None
        return {"entries": [_entry(one) for one in entries], "nextAfter": last}

    async def cancel(self, text: str) -> None:
        """Wish that a task is cancelled. Raises: NotFound; Forbidden for a kind that must be done."""
        try:
            await self._jobs.cancel(_id(text))
        except NoSuchTask:
            raise NotFound from None
        except NotCancellable:
            raise Forbidden("Jobs of this kind are done to their end.") from None


def _id(text: str) -> TaskId:
    try:
        return TaskId.parse(text)
    except BadTaskId:
        raise NotFound from None


def _task(stored: Stored) -> dict[str, object]:
    task, counters = stored.task, stored.task.counters
    done, total = task.told_progress
    return {
        "id": str(stored.id),
        "pool": task.pool,
        "group": task.group,
        "priority": task.priority,
        "status": task.status.value,
        "cancelling": stored.is_unwanted and task.status.is_open,
        "createdAt": task.created_s,
        "startedAt": task.started_s or None,
        "endedAt": task.ended_s or None,
        "progress": {"done": done, "total": total},
        "masters": {
            "delegated": counters.masters_delegated,
            "done": counters.masters_done,
            "failed": counters.masters_failed,
            "canceled": counters.masters_canceled,
        },
        "slaves": {
            "delegated": counters.slaves_delegated,
            "done": counters.slaves_done,
            "failed": counters.slaves_failed,
        },
        "takeovers": task.takeovers,
    }


def _entry(entry: AuditEntry) -> dict[str, object]:
    return {"number": entry.number, "at": entry.at_s, "message": entry.message}

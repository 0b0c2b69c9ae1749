"""Services stop in order and own their tasks."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from cluster_worker.runtime.services import OrderedService, TaskOwner


class Stopping(Service):
    """Writes its name into ``seen`` when told to stop and ends when ``gate`` fires."""

    def __init__(self, name: str, seen: list[str], gate: Deferred[None] | None = None) -> None:
        self.label, self.seen, self.gate = name, seen, gate

    def stopService(self) -> Deferred[None] | None:
        self.seen.append(self.label)
        return self.gate


def test_children_stop_last_started_first_and_one_at_a_time() -> None:
    seen: list[str] = []
    gate: Deferred[None] = Deferred()
    parent = OrderedService()
    Stopping("store", seen).setServiceParent(parent)
    Stopping("door", seen, gate).setServiceParent(parent)
    stopped = parent.stopService()
    assert seen == ["door"]
    gate.callback(None)
    assert seen == ["door", "store"]
    assert stopped.called


def test_a_child_that_fails_to_stop_does_not_keep_the_others_running() -> None:
    seen: list[str] = []
    broken: Deferred[None] = Deferred()
    parent = OrderedService()
    Stopping("store", seen).setServiceParent(parent)
    Stopping("door", seen, broken).setServiceParent(parent)
    parent.stopService()
    broken.errback(OSError("socket stuck"))
    assert seen == ["door", "store"]


@ensureDeferred
async def test_closing_an_owner_cancels_its_tasks_and_waits_for_them() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await Deferred()
        finally:
            ended.append("cleaned up")

    owner = TaskOwner()
    owner.spawn("endless", endless())
    await owner.close()
    assert ended == ["cleaned up"]


def test_a_failing_task_is_logged_with_its_name() -> None:
    with capturedLogs() as events:

        async def fails() -> None:
            raise ValueError("broken")

        TaskOwner().spawn("doomed", fails())
    assert [event["name"] for event in events if "log_failure" in event] == ["doomed"]

"""kill -9, and a stop from which it goes on, of each kind of process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

from tests.faults.arena import WORKERS, Arena
from tests.faults.fault import Fault, Needs

KILLED_FOR_S = 3.0
"""A killed process is started again after so long."""
PAUSED_FOR_S = 8.0

Host = Callable[[Arena], str]


def process_faults() -> Iterator[Fault]:
    """Return both faults of every kind of process."""
    others = tuple(worker for worker in WORKERS if worker != "worker1")
    yield from _of_node("op-worker", "worker1", lambda _: "worker1", others)
    yield from _of_node("leading manager", "manager", lambda arena: arena.leader(), WORKERS)
    yield from _of_node("standby manager", "manager", _standby, WORKERS)
    yield from _of_node("zone", "zone", lambda _: "oz-node1", WORKERS)
    yield _kill("redis owner", "redis", lambda _: "redis", (), Needs.ONE_SERVER)
    yield _pause("redis owner", "redis", lambda arena: arena.pid("redis"), WORKERS, Needs.ONE_SERVER)
    yield Fault(
        name="kill -9 of redis server",
        group="redis",
        lasts_s=KILLED_FOR_S,
        inject=lambda arena: os.kill(arena.redis_pid(), signal.SIGKILL),
        needs=Needs.ONE_SERVER,
    )
    yield _pause("redis server", "redis", lambda arena: arena.redis_pid(), (), Needs.ONE_SERVER)


def _standby(arena: Arena) -> str:
    leader = arena.leader()
    return next(host for host in arena.managers if host != leader)


def _of_node(kind: str, group: str, host: Host, serving: tuple[str, ...]) -> Iterator[Fault]:
    yield _kill(kind, group, host, serving, Needs.ANY)
    yield _pause(kind, group, lambda arena: arena.pid(host(arena)), serving, Needs.ANY)


def _kill(kind: str, group: str, host: Host, serving: tuple[str, ...], needs: Needs) -> Fault:
    killed: list[str] = []

    def inject(arena: Arena) -> None:
        killed.append(host(arena))
        os.kill(arena.pid(killed[-1]), signal.SIGKILL)

    return Fault(
        name=f"kill -9 of {kind}",
        group=group,
        lasts_s=KILLED_FOR_S,
        inject=inject,
        heal=lambda arena: arena.start_again(killed.pop()),
        serving=serving,
        needs=needs,
    )


def _pause(
    kind: str, group: str, pid: Callable[[Arena], int], serving: tuple[str, ...], needs: Needs
) -> Fault:
    paused: list[int] = []

    def inject(arena: Arena) -> None:
        paused.append(pid(arena))
        os.kill(paused[-1], signal.SIGSTOP)

    return Fault(
        name=f"pause of {kind}",
        group=group,
        lasts_s=PAUSED_FOR_S,
        inject=inject,
        heal=lambda _: os.kill(paused.pop(), signal.SIGCONT),
        serving=serving,
        needs=needs,
    )

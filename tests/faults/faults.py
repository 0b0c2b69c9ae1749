"""The faults: what is done to the arena, how it is undone, and which nodes should serve meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.faults import certificates, clocks, disks
from tests.faults.arena import WORKERS, Arena
from tests.support.links import CUT, Condition
from tests.support.network import HERE, Direction, both_ways

KILLED_FOR_S = 3.0
"""A killed process is started again after so long."""
PAUSED_FOR_S = 8.0
CUT_FOR_S = 6.0
SLOW_FOR_S = 5.0
CLOCK_FOR_S = 4.0
DISK_FOR_S = 4.0
CERTIFICATE_FOR_S = 12.0
"""Daemons look for new web certificates every ten seconds."""

SLOW = Condition(delay_s=0.2)
LOSSY = Condition(loss=0.05)

Conditions = Mapping[Direction, Condition]
Hosts = Callable[[Arena], Sequence[str]]


def _nothing(_: Arena) -> None:
    """There is nothing to do."""


def _certainly(_: Arena) -> bool:
    return True


def _no_links(_: Arena) -> Conditions:
    return {}


@frozen(kw_only=True)
class Fault:
    """One fault.

    Attributes:
        group: what kind of thing is hurt; two faults of one group make no pair.
        links: the conditions of links while it lasts.
        shows: whether the arena is hurt, asked just before the healing.
        serving: the workers through which everything should be served while it lasts.
    """

    name: str
    group: str
    lasts_s: float
    inject: Callable[[Arena], None] = _nothing
    heal: Callable[[Arena], None] = _nothing
    links: Callable[[Arena], Conditions] = _no_links
    shows: Callable[[Arena], bool] = _certainly
    serving: tuple[str, ...] = WORKERS


Process = Callable[[Arena], int]


def _signal(process: Process, number: signal.Signals) -> Callable[[Arena], None]:
    def send(arena: Arena) -> None:
        os.kill(process(arena), number)

    return send


def _of(host: str) -> Process:
    return lambda arena: arena.pid(host)


def process_faults() -> Iterator[Fault]:
    """kill -9 and a pause of each kind of process."""
    others = tuple(worker for worker in WORKERS if worker != "worker1")
    yield from _kill_and_pause("op-worker", "worker1", others)
    yield from _kill_and_pause("leading manager", "cm1", WORKERS)
    yield from _kill_and_pause("standby manager", "cm2", WORKERS)
    yield from _kill_and_pause("zone", "oz-node1", WORKERS)
    yield from _kill_and_pause("redis owner", "redis", ())
    server: Process = lambda arena: arena.redis_pid()  # noqa: E731 - asked anew: it changes with each start
    yield Fault(
        name="kill -9 of redis server",
        group="redis",
        lasts_s=KILLED_FOR_S,
        inject=_signal(server, signal.SIGKILL),
        serving=WORKERS,
    )
    yield Fault(
        name="pause of redis server",
        group="redis",
        lasts_s=PAUSED_FOR_S,
        inject=_signal(server, signal.SIGSTOP),
        heal=_signal(server, signal.SIGCONT),
        serving=(),
    )


def _kill_and_pause(kind: str, host: str, serving: tuple[str, ...]) -> Iterator[Fault]:
    group = "redis" if host == "redis" else host
    yield Fault(
        name=f"kill -9 of {kind}",
        group=group,
        lasts_s=KILLED_FOR_S,
        inject=_signal(_of(host), signal.SIGKILL),
        heal=lambda arena: arena.start_again(host),
        serving=serving,
    )
    yield Fault(
        name=f"pause of {kind}",
        group=group,
        lasts_s=PAUSED_FOR_S,
        inject=_signal(_of(host), signal.SIGSTOP),
        heal=_signal(_of(host), signal.SIGCONT),
        serving=WORKERS if host == "redis" else serving,
    )


def link_faults() -> Iterator[Fault]:
    """Cut, one-way cut, delay and loss of each kind of link."""
    first, other = WORKERS
    kinds: Sequence[tuple[str, Hosts, Hosts, tuple[str, ...]]] = [
        ("worker-worker", lambda _: [first], lambda _: [other], WORKERS),
        ("worker-manager", lambda _: [first], lambda arena: arena.managers, WORKERS),
        ("worker-redis", lambda _: [first], lambda _: ["redis"], (other,)),
        ("manager-redis", lambda arena: arena.managers[:1], lambda _: ["redis"], WORKERS),
        ("client-worker", lambda _: [HERE], lambda _: [first], (other,)),
    ]
    for kind, left, right, serving in kinds:
        yield from _bad_links(kind, left, right, serving)


def _bad_links(
    kind: str,
    left: Hosts,
    right: Hosts,
    serving: tuple[str, ...],
) -> Iterator[Fault]:
    def both(condition: Condition) -> Callable[[Arena], Conditions]:
        return lambda arena: dict.fromkeys(both_ways(left(arena), right(arena)), condition)

    def one_way(arena: Arena) -> Conditions:
        return {(source, target): CUT for source in left(arena) for target in right(arena)}

    yield Fault(name=f"{kind} cut", group=kind, lasts_s=CUT_FOR_S, links=both(CUT), serving=serving)
    yield Fault(name=f"{kind} cut one way", group=kind, lasts_s=CUT_FOR_S, links=one_way, serving=serving)
    yield Fault(name=f"{kind} 200 ms late", group=kind, lasts_s=SLOW_FOR_S, links=both(SLOW))
    yield Fault(name=f"{kind} loses 5 %", group=kind, lasts_s=SLOW_FOR_S, links=both(LOSSY))


def clock_faults() -> Iterator[Fault]:
    """Wall clocks that jump by an hour and come back."""
    for kind, host in (("op-worker", "worker1"), ("leading manager", "cm1")):
        for word, offset_s in (("forward", 3600), ("back", -3000)):

            def jump(arena: Arena, host: str = host, offset_s: int = offset_s) -> None:
                clocks.set_offset(arena.folder(host), offset_s)

            def back(arena: Arena, host: str = host) -> None:
                clocks.set_offset(arena.folder(host), 0)

            name = f"clock of {kind} {abs(offset_s) // 60} minutes {word}"
            yield Fault(name=name, group=f"clock of {host}", lasts_s=CLOCK_FOR_S, inject=jump, heal=back)


def disk_faults() -> Iterator[Fault]:
    """Disks without a free page."""
    folders: Sequence[tuple[str, Callable[[Arena], Path]]] = [
        ("storage", lambda arena: arena.storage.parent),
        ("redis", lambda arena: arena.folder("redis")),
    ]
    for kind, folder in folders:
        yield Fault(
            name=f"disk of {kind} full",
            group=f"disk of {kind}",
            lasts_s=DISK_FOR_S,
            inject=lambda arena, folder=folder: disks.fill(folder(arena)),  # type: ignore[misc]
            heal=lambda arena, folder=folder: disks.free(folder(arena)),  # type: ignore[misc]
            shows=lambda arena, folder=folder: disks.is_full(folder(arena)),  # type: ignore[misc]
            serving=(),
        )


def certificate_faults() -> Iterator[Fault]:
    """Certificates that are replaced while everything runs."""
    before: dict[str, bytes] = {}

    def swap(arena: Arena) -> None:
        before["worker1"] = certificates.served(arena, "worker1")
        certificates.renew_web(arena, "worker1")

    def is_new(arena: Arena) -> bool:
        return certificates.served(arena, "worker1") != before["worker1"]

    yield Fault(
        name="web certificate of op-worker swapped",
        group="certificate",
        lasts_s=CERTIFICATE_FOR_S,
        inject=swap,
        shows=is_new,
    )

    def renew(arena: Arena) -> None:
        for host, kind in (("worker1", "worker"), ("cm1", "cm")):
            certificates.renew_node(arena, host, f"{kind}@{arena.hosts[host]}")
            arena.end(host)

    def start(arena: Arena) -> None:
        for host in ("cm1", "worker1"):
            arena.start_again(host)

    yield Fault(
        name="cluster certificates of op-worker and manager renewed, both restarted",
        group="worker1",
        lasts_s=1.0,
        inject=renew,
        heal=start,
        serving=("worker2",),
    )


def all_faults() -> Sequence[Fault]:
    """Every single fault, in the order of the table."""
    kinds = (process_faults, link_faults, disk_faults, clock_faults, certificate_faults)
    return [fault for kind in kinds for fault in kind()]

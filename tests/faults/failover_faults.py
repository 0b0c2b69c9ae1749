"""What happens to servers with replicas and sentinels: another one takes over."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence

from tests.faults.arena import Arena
from tests.faults.fault import Conditions, Fault, Needs
from tests.faults.sentinels import HOSTS, Sentinels
from tests.support.links import CUT
from tests.support.network import both_ways
from tests.support.redis_sets import Server

KILLED_FOR_S = 5.0
PAUSED_FOR_S = 8.0
CUT_FOR_S = 8.0

Servers = Callable[[Sentinels], Sequence[Server]]


def failover_faults() -> Iterator[Fault]:
    """Return the faults of servers and of the hosts they are on."""
    yield _killed("redis primary", lambda found: [found.group.primary()])
    yield _killed("redis replica", lambda found: [found.replica()])
    yield _killed("redis primary and the sentinel beside it", lambda found: found.processes_beside_primary())
    yield _paused()
    yield _cut("redis primary cut off from everybody", lambda arena: set(arena.network.addresses))
    yield _cut("redis primary cut off from replicas and sentinels", lambda _: set(HOSTS))


def _killed(what: str, servers: Servers) -> Fault:
    killed: list[Server] = []

    def inject(arena: Arena) -> None:
        killed.extend(servers(arena.sentinels))
        for server in killed:
            server.signal(signal.SIGKILL)

    def heal(_: Arena) -> None:
        while killed:
            killed.pop().start()

    return Fault(
        name=f"kill -9 of {what}",
        group="redis",
        lasts_s=KILLED_FOR_S,
        inject=inject,
        heal=heal,
        needs=Needs.SENTINEL,
    )


def _paused() -> Fault:
    paused: list[Server] = []

    def inject(arena: Arena) -> None:
        paused.append(arena.sentinels.group.primary())
        paused[-1].signal(signal.SIGSTOP)

    return Fault(
        name="pause of redis primary",
        group="redis",
        lasts_s=PAUSED_FOR_S,
        inject=inject,
        heal=lambda _: paused.pop().signal(signal.SIGCONT),
        needs=Needs.SENTINEL,
    )


def _cut(name: str, from_whom: Callable[[Arena], set[str]]) -> Fault:
    def links(arena: Arena) -> Conditions:
        host = arena.sentinels.host_of(arena.sentinels.group.primary())
        return dict.fromkeys(both_ways([host], from_whom(arena) - {host}), CUT)

    return Fault(name=name, group="redis", lasts_s=CUT_FOR_S, links=links, needs=Needs.SENTINEL)

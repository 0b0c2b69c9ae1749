"""Full disks, clocks that jump, certificates that are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults import certificates, clocks, disks
from tests.faults.arena import WORKERS, Arena
from tests.faults.fault import Fault, Needs

CLOCK_FOR_S = 4.0
DISK_FOR_S = 4.0
CERTIFICATE_FOR_S = 12.0
"""Daemons look for new web certificates every ten seconds."""
FIRST, *OTHERS = WORKERS


def host_faults() -> Iterator[Fault]:
    """Return all of them; clocks only where they can be set."""
    yield _disk("storage", lambda arena: arena.storage.parent, Needs.ANY)
    yield _disk("redis", lambda arena: arena.folder("redis"), Needs.ONE_SERVER)
    if clocks.library() is not None:
        for word, offset_s in (("60 minutes forward", 3600), ("50 minutes back", -3000)):
            yield _clock(f"clock of op-worker {word}", lambda _: FIRST, offset_s)
            yield _clock(f"clock of leading manager {word}", lambda arena: arena.leader(), offset_s)
    yield _web_certificate()
    yield _node_certificates()


def _disk(kind: str, folder: Callable[[Arena], Path], needs: Needs) -> Fault:
    return Fault(
        name=f"disk of {kind} full",
        group=f"disk of {kind}",
        lasts_s=DISK_FOR_S,
        inject=lambda arena: disks.fill(folder(arena)),
        heal=lambda arena: disks.free(folder(arena)),
        shows=lambda arena: disks.is_full(folder(arena)),
        serving=(),
        needs=needs,
    )


def _clock(name: str, host: Callable[[Arena], str], offset_s: int) -> Fault:
    moved: list[str] = []

    def inject(arena: Arena) -> None:
        moved.append(host(arena))
        clocks.set_offset(arena.folder(moved[-1]), offset_s)

    return Fault(
        name=name,
        group="clock",
        lasts_s=CLOCK_FOR_S,
        inject=inject,
        heal=lambda arena: clocks.set_offset(arena.folder(moved.pop()), 0),
    )


def _web_certificate() -> Fault:
    before: list[bytes] = []

    def swap(arena: Arena) -> None:
        before.append(certificates.served(arena, FIRST))
        certificates.renew_web(arena, FIRST)

    return Fault(
        name="web certificate of op-worker swapped",
        group="certificate",
        lasts_s=CERTIFICATE_FOR_S,
        inject=swap,
        shows=lambda arena: certificates.served(arena, FIRST) != before.pop(),
    )


def _node_certificates() -> Fault:
    ended: list[str] = []

    def renew(arena: Arena) -> None:
        ended.extend([FIRST, arena.leader()])
        for host in ended:
            certificates.renew_node(arena, host)
            arena.end(host)

    def start(arena: Arena) -> None:
        while ended:
            arena.start_again(ended.pop())

    return Fault(
        name="certificates of op-worker and leading manager renewed, both restarted",
        group=FIRST,
        lasts_s=1.0,
        inject=renew,
        heal=start,
        serving=tuple(OTHERS),
    )

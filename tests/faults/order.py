"""Does the cluster agree with itself: who leads, who owns which background work, is every node well?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from tests.faults.arena import WORKERS, Arena
from tests.faults.connection import Connection, NoAnswer, Unreachable, trusting

_REIGN = re.compile(r"this manager leads, term (\d+)")
_WORKS = b"lease:work:"


@frozen
class Lease:
    """A lease that has not run out."""

    name: str
    owner: str

    @property
    def node(self) -> str:
        """The node; what follows it tells the node's runs apart."""
        return self.owner.partition("/")[0]


def disorders(arena: Arena) -> Iterable[str]:
    """Return what should not be once a fault is over and a few seconds have passed."""
    with arena.store() as store:
        leases = list(work_leases(store))
    yield from strange_owners(leases, {f"worker@{arena.hosts[worker]}" for worker in WORKERS})
    yield from double_reigns({host: console(arena, host) for host in arena.managers})
    tls = trusting(arena.environment.ca_cert)
    for worker in WORKERS:
        if (reason := _illness(Connection(arena.door(worker), tls, {}))) is not None:
            yield f"{worker} is not well: {reason}"


def work_leases(store: Any) -> Iterable[Lease]:
    """Return who owns which background work now, by the clock of the store."""
    seconds, microseconds = store.time()
    now_ms = seconds * 1000 + microseconds // 1000
    for key in store.scan_iter(match=_WORKS + b"*", count=1000):
        lease: Mapping[bytes, bytes] = store.hgetall(key)
        if b"owner" in lease and int(lease[b"until"]) > now_ms:
            yield Lease(key.removeprefix(_WORKS).decode(), lease[b"owner"].decode())


def strange_owners(leases: Iterable[Lease], nodes: set[str]) -> Iterable[str]:
    """Demand that every owner is a node of the cluster."""
    yield from (f"work {one.name} belongs to {one.owner}" for one in leases if one.node not in nodes)


def double_reigns(consoles: Mapping[str, str]) -> Iterable[str]:
    """Demand that no term was led twice, by whomever."""
    terms = Counter(term for text in consoles.values() for term in _REIGN.findall(text))
    yield from (f"term {term} was led {count} times" for term, count in terms.items() if count > 1)


def console(arena: Arena, host: str) -> str:
    """Return everything that a node has said since it was started first."""
    return (arena.folder(host) / "console.log").read_text(errors="replace")


def _illness(connection: Connection) -> str | None:
    try:
        reply = connection.ask("GET", "/nagios")
    except (Unreachable, NoAnswer) as error:
        return str(error)
    finally:
        connection.close()
    is_well = reply.status == 200 and b'status="ok"' in reply.body.partition(b">")[2][:200]
    return None if is_well else f"{reply.status} {reply.body[:400]!r}"

"""The state of a cluster as a table for terminals and as plain lines for everything else. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]
_COLOURS = {"serving": "green", "away": "red", "draining": "yellow", "leaving": "yellow"}
_COLUMNS = ("Node", "State", "cpu", "mem", "net", "Heard", "Slots", "Clients", "Queues", "Roles")


def as_table(status: Json) -> RenderableType:
    """Return the whole screen: the cluster in a few lines, its nodes below."""
    head = [Text(line) for line in _head(status)]
    if status["cluster"] is None:
        return Group(*head)
    table = Table(*_COLUMNS, box=None, pad_edge=False, header_style="bold")
    for column in table.columns[2:8]:
        column.justify = "right"
    for column in table.columns[:8]:
        column.no_wrap = True
    for node in status["nodes"]:
        cells = _cells(node)
        table.add_row(cells[0], Text(cells[1], style=_COLOURS.get(node["state"], "cyan")), *cells[2:])
    return Group(*head, Text(), table)


def as_lines(status: Json) -> Iterator[str]:
    """Yield a line for each fact of the cluster and for each node, for logs and for ``grep``."""
    yield from _head(status)
    for node in status["nodes"]:
        cells = _cells(node)
        facts = [f"{name.lower()}={cell}" for name, cell in zip(_COLUMNS[2:], cells[2:], strict=True) if cell]
        yield f"{cells[0]} {cells[1]} {' '.join(facts)} address={node['address']}"


def _head(status: Json) -> Iterator[str]:
    cluster, leader, this = status["cluster"], status["leader"], status["manager"]
    if cluster is None:
        yield f"{this['name']} is a standby and knows nothing of the nodes"
        yield _leader(leader)
        return
    since, epoch = _epoch(cluster["incarnation"]), _epoch(cluster["epoch"])
    yield f"cluster {cluster['phase']}, epoch {epoch}, boot {since}, {len(status['nodes'])} nodes"
    if cluster["waitingFor"]:
        yield f"waiting for {cluster['waitingFor']}"
    yield _leader(leader)
    if this["refusals"]:
        yield f"refused {_pairs(this['refusals'])}"


def _leader(leader: Json | None) -> str:
    return f"leader {leader['name']} {leader['url'] or leader['address']}" if leader else "no leader is known"


def _cells(node: Json) -> Sequence[str]:
    load, age = node["load"], node["heartbeatAge"]
    figures = [f"{load[name]:.0f}%" if load else "-" for name in ("cpu", "mem", "net")]
    step = "" if node["step"] is None else f" ({node['step']})"
    lost = "" if node["linked"] or node["state"] == "away" else " (no link)"
    return (
        node["name"],
        f"{node['state']}{step}{lost}",
        *figures,
        "-" if age is None else f"{age:.1f}s",
        str(node["slots"]),
        f"{100 * node['share']:.0f}%",
        _pairs(node["queues"]),
        ", ".join(node["roles"]),
    )


def _pairs(numbers: Mapping[str, int]) -> str:
    return ",".join(f"{name}:{number}" for name, number in sorted(numbers.items()))


def _epoch(epoch: Sequence[int]) -> str:
    return ".".join(map(str, epoch))

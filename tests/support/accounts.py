"""Counts anew what the counters of a space should say, from the documents of an engine in memory."""

from __future__ import annotations

from collections import Counter

from cluster_worker.persistence.engine import Document, Engine, Key, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.ids import space_root_uuid
from op_worker.files.stored.charges import charged, used_counter
from op_worker.files.stored.documents import META, PARENT
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.quotas import QUOTAS, SpaceQuotas
from op_worker.files.stored.recharge_jobs import JOBS, POSITIONS
from tests.support.spaces import SPACE

Documents = dict[Key, dict[str, Document]]


def documents_of(engine: Engine) -> Documents:
    """Return every document of the space; no engine lists its keys, so this looks inside."""
    assert isinstance(engine, MemoryEngine)
    return engine._scopes[Scope(SPACE)].documents


def nodes_of(engine: Engine) -> dict[Key, Node]:
    """Return every file of the space, those in the trash too."""
    return {key: Node(key, "", found) for key, found in documents_of(engine).items() if META in found}


def expected_counters(engine: Engine) -> dict[str, int]:
    """Return what the counters must say by the locations that there are; zeros are left out."""
    expected: Counter[str] = Counter()
    for node in nodes_of(engine).values():
        if node.location is not None:
            expected[used_counter(node.location.storage_id)] += node.location.held_b
            expected.update(charged(None, node.location))
    return {name: value for name, value in expected.items() if value}


async def check_counters(engine: Engine) -> None:
    """Demand that every counter is the sum over the files that name it."""
    counters = await engine.counters(Scope(SPACE))
    assert {name: value for name, value in counters.items() if value} == expected_counters(engine)


async def check_settled(engine: Engine) -> None:
    """Demand that no walk is under way and that every file is charged to the quotas above it.

    Of a file with several names only one counts, and which one is not stored, so they are left out.
    """
    assert await engine.get_all(Scope(SPACE), JOBS) == {}
    assert await engine.get_all(Scope(SPACE), POSITIONS) == {}
    quotas = SpaceQuotas.decode(await engine.get_all(Scope(SPACE), QUOTAS))
    assert quotas.is_settled
    nodes = nodes_of(engine)
    for node in nodes.values():
        above = _above(nodes, node)
        if node.location is None or node.location.is_apart:
            continue
        if Key(space_root_uuid(SPACE)) in above:
            assert node.location.charges == quotas.wanted(node.meta.owner, above), node.meta.name


def _above(nodes: dict[Key, Node], node: Node) -> list[Key]:
    """Return the keys above a file, the top first."""
    above: list[Key] = []
    while PARENT in node.documents:
        key = Key(node.documents[PARENT].data.decode())
        above.insert(0, key)
        if key not in nodes:
            break
        node = nodes[key]
    return above

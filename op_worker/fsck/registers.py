"""Registers of a space against the files that they list: protected, kept, due for removal, shares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

from cluster_worker.persistence.engine import Check, Engine, Key, Link, Put, Scope, Step, Unlink
from op_worker.files.rights import immutability, protection
from op_worker.files.stored.documents import BASE, META
from op_worker.files.stored.nodes import Node
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.rules import readable

_PAGE = 1000
_MARKS = {
    protection.REGISTER: protection.REGISTER_MARK,
    immutability.REGISTER: immutability.REGISTER_MARK,
}
REGISTERS = (protection.REGISTER, immutability.REGISTER, immutability.DUE)


def wanted_entries(node: Node) -> Iterator[Link]:
    """Return the entries that registers must have of a file."""
    steps: list[Step] = []
    if node.is_directory:
        steps += protection.register_steps(node.key, 0, node.protection)
    steps += immutability.register_steps(node.key, None, node.immutability, is_directory=node.is_directory)
    return (step for step in steps if isinstance(step, Link))


async def missing_entries(engine: Engine, scope: Scope, nodes: Iterable[Node]) -> list[Finding]:
    """Return what registers miss of these files."""
    found = []
    for node in nodes:
        for link in wanted_entries(node) if node.is_unusual else ():
            if await engine.lookup(scope, link.directory, link.name) is None:
                found.append(Finding(Code.REGISTER, node.key, link.directory, link.name, "it is missing"))
    return found


async def surplus_entries(engine: Engine, scope: Scope) -> AsyncIterator[Finding]:
    """Tell the entries of registers that no file wants."""
    for register in REGISTERS:
        after: bytes | None = None
        while page := await engine.page(scope, register, after, _PAGE, ()):
            after = page[-1].entry.name
            keys = [key_in(register, item.entry.name) for item in page]
            documents = await engine.get_many(scope, keys, BASE)
            for item, key, found in zip(page, keys, documents, strict=True):
                node = Node(key, "", found)
                if not _wants(node, register, item.entry.name):
                    yield Finding(Code.REGISTER, key, register, item.entry.name, "no file wants it")


def key_in(register: Key, name: bytes) -> Key:
    """Return the file that an entry of a register is about."""
    return immutability.key_of_due(name) if register == immutability.DUE else Key(name.decode())


def mending(register: Key, name: bytes, node: Node, value: bytes | None) -> list[Step]:
    """Return the steps that give a register the entry that it should have; none when it has."""
    wanted = next((one for one in _wanted(node) if (one.directory, one.name) == (register, name)), None)
    if (wanted is None) == (value is None):
        return []
    steps: list[Step] = [wanted] if wanted is not None else [Unlink(register, name, value or b"")]
    if register in _MARKS:
        steps.append(Put(register, _MARKS[register], b""))
    return [*steps, Check(node.key, META, node.revision(META))]


def _wanted(node: Node) -> list[Link]:
    if not node.exists or readable(node.key, node.documents) is not None:
        return []
    return list(wanted_entries(node))


def _wants(node: Node, register: Key, name: bytes) -> bool:
    return any((one.directory, one.name) == (register, name) for one in _wanted(node))

"""What must hold of entries, documents and counters. Pure: what was read goes in, findings come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from cluster_worker.persistence.engine import Document, Key, Resolved
from op_worker.files.stored.charges import charged, used_counter
from op_worker.files.stored.detached import LEASE
from op_worker.files.stored.documents import META, NAME, PARENT, Location
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import is_reserved
from op_worker.files.stored.share_records import share_key
from op_worker.fsck.findings import Code, Finding

Documents = Mapping[str, Document]


def readable(key: Key, documents: Documents) -> Finding | None:
    """Return what is wrong with documents that this version cannot read."""
    node = Node(key, "", documents)
    try:
        if META in documents:
            _ = node.meta
        _ = node.location
    except Exception as error:  # noqa: BLE001 - whatever damage does to a record
        return Finding(Code.UNREADABLE, key, detail=f"{type(error).__name__}: {error}")
    return None


def judge_entry(
    directory: Key, item: Resolved, of_link: Documents, *, parent: Key | None, is_named: bool
) -> Iterator[Finding]:
    """Return what is wrong with an entry and what it leads to.

    Args:
        of_link: the documents of the hard link's own key, when the entry is one.
        parent: the directory that the file has to tell; ``None`` for tops of trees out of sight.
        is_named: whether entries of this directory are called as their files are.
    """
    name, place = item.entry.name, directory
    if META not in item.documents:
        yield Finding(Code.DANGLING_ENTRY, item.key, place, name)
        return
    unreadable = readable(item.key, item.documents)
    if unreadable is not None:
        yield unreadable
        return
    node = Node.found(item)
    if node.entry_value != item.entry.value:
        yield Finding(Code.WRONG_TYPE, item.key, place, name, f"the file is of type {node.type.value}")
    if node.link:
        told = of_link.get(PARENT), of_link.get(NAME)
        wanted = (None if parent is None else parent.encode(), name)
        found = tuple(None if one is None else one.data for one in told)
        if found[0] != wanted[0] or (is_named and found[1] != wanted[1]):
            yield Finding(Code.WRONG_LINK, item.key, place, name)
        return
    if parent is not None and node.parent_key != parent:
        yield Finding(Code.WRONG_PARENT, item.key, place, name, f"it tells {node.parent_key}")
    elif is_named and node.meta.name != node.name:
        yield Finding(Code.WRONG_NAME, item.key, place, name, f"it tells {node.meta.name!r}")


def judge_root_name(root: Key, item: Resolved) -> Iterator[Finding]:
    """Return what is wrong with a name at the root of a space."""
    if is_reserved(item.entry.name.decode("utf-8", "replace")):
        yield Finding(Code.RESERVED_NAME, item.key, root, item.entry.name)


def names_of(documents: Documents, listed: int) -> int:
    """Return how many names a file has, of which ``listed`` are hard links."""
    return listed + (PARENT in documents)


def judge_links(key: Key, documents: Documents, listed: int) -> Iterator[Finding]:
    """Return what is wrong with the number of names of a file; trees out of sight have none yet."""
    if META not in documents or LEASE in documents:
        return
    has, tells = names_of(documents, listed), Node(key, "", documents).meta.links
    if has != tells and has:
        yield Finding(Code.LINK_COUNT, key, detail=f"it has {has} names and counts {tells}")


def mentions(node: Node) -> list[Finding]:
    """Return the shares that a file mentions; each is worth a look."""
    ids = node.meta.shares if node.is_unusual else ()
    return [Finding(Code.SHARE, share_key(one), node.key, one.encode()) for one in ids]


def counted(location: Location) -> Counter[str]:
    """Return what a location adds to each counter."""
    changes = charged(None, location)
    changes[used_counter(location.storage_id)] += location.held_b
    return changes


def judge_counters(stored: Mapping[str, int], sums: Mapping[str, int]) -> Iterator[Finding]:
    """Return the counters that are not the sum over all locations."""
    names = {name for name in stored if name.startswith(("used:", "charged:", "charged-files:"))}
    for name in sorted(names | set(sums)):
        has, wanted = stored.get(name, 0), sums.get(name, 0)
        if has != wanted:
            yield Finding(Code.COUNTER, name, detail=f"it is {has} instead of {wanted}", due=wanted - has)

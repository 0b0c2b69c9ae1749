"""Further names of a file: how they are stored, and the steps that add, move and drop them. Pure.

A file's own key is its first name. Each further name (hard link) has a key of its own with the documents
``name`` and ``parent``, and is an entry of the directory ``links_key`` of its file. ``Meta.links`` counts
all names. A first name that was removed has no ``parent`` document.
"""

from __future__ import annotations

from attrs import evolve

from cluster_worker.persistence.engine import ABSENT, Delete, Key, Link, Put, Step, Unlink
from onedata.errors import Errno, Posix
from op_worker.files.stored.documents import META, NAME, PARENT, TIMES, EntryValue, Location, encode_parent
from op_worker.files.stored.nodes import Chain, Node

MAX_NAMES = 1000
"""The most names of one file."""


def links_key(file: Key) -> Key:
    """Return the key of the directory that lists the hard links of a file by their hex digits."""
    return Key(f"links_{file}")


def check_linkable(file: Node) -> None:
    """Raise Posix(EPERM) for directories and Posix(EMLINK) for a file with as many names as can be."""
    if file.is_directory:
        raise Posix(Errno.EPERM, "a directory has one name only")
    if file.meta.links >= MAX_NAMES:
        raise Posix(Errno.EMLINK, f"a file may have up to {MAX_NAMES} names")


def linked(file: Node, link: str, name: str) -> Node:
    """Return the same file as it is found by a hard link."""
    return Node(file.key, name, file.documents, link)


def apart(file: Node) -> Location | None:
    """Return where the bytes are once they lie apart; ``None`` when there is nothing to move."""
    location = file.location
    return None if location is None or location.is_apart else evolve(location, is_apart=True)


def has_further_names(chain: Chain) -> bool:
    """Whether names other than the first one lead to a file, or did as far as that can be told.

    Of bytes that lie at a path of their own for the storage's sake it cannot.
    """
    file, location = chain.file, chain.file.location
    was_linked = location is not None and location.is_apart and not location.at
    return was_linked or bool(file.link) or file.meta.links > 1


def documents_with_name(file: Node, now_s: float) -> dict[str, bytes]:
    """Return the documents of a file that gets one more name, as far as they change."""
    return {
        META: evolve(file.meta, links=file.meta.links + 1).encode(),
        TIMES: file.times.changed(now_s).encode(),
    }


def add_name(file: Node, link: str, directory: Key, name: str, documents: dict[str, bytes]) -> list[Step]:
    """Return the steps that give a file a further name; ``documents`` are those that it gets."""
    key = linked(file, link, name).name_key
    return [
        Link(directory, name.encode(), EntryValue(file.key, file.type, link).encode()),
        Link(links_key(file.key), link.encode(), _listed(key)),
        Put(key, NAME, name.encode(), expect=ABSENT),
        Put(key, PARENT, encode_parent(directory), expect=ABSENT),
        *(Put(file.key, field, data, expect=file.revision(field)) for field, data in documents.items()),
    ]


def rename(file: Node, directory: Key, name: str) -> list[Step]:
    """Return the steps that tell a hard link's own key where it is now; its entry is moved along."""
    key = file.name_key
    return [Put(key, NAME, name.encode()), Put(key, PARENT, encode_parent(directory))]


def lose_name(file: Node, now_s: float) -> list[Step]:
    """Return the steps for a file that loses the name it was found by and keeps others."""
    meta = evolve(file.meta, links=file.meta.links - 1)
    steps: list[Step] = [
        Put(file.key, META, meta.encode(), expect=file.revision(META)),
        Put(file.key, TIMES, file.times.changed(now_s).encode()),
    ]
    if not file.link:
        steps.append(Delete(file.key, PARENT, expect=file.revision(PARENT)))
    return [*steps, *forget_link(file)]


def forget_link(file: Node) -> list[Step]:
    """Return the steps that end a hard link's own key; none for a first name."""
    if not file.link:
        return []
    key = file.name_key
    return [Delete(key), Unlink(links_key(file.key), file.link.encode(), _listed(key))]


def _listed(key: Key) -> bytes:
    return f"{key}/L".encode()

"""The steps that make the space say what the storage says. Pure.

All of them are about entries of one directory that was read before the storage was asked. They demand that
it stands where it stood, and that nobody changes the same file. None of them touches the storage.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Key, Link, Put, Step, Unlink
from op_worker.files.model import FileType
from op_worker.files.stored import batches
from op_worker.files.stored.blocks import whole
from op_worker.files.stored.documents import (
    LOCATION,
    META,
    PARENT,
    TIMES,
    EntryValue,
    Location,
    Times,
    encode_parent,
)
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.importing.seen import SEEN, Seen, seen_of
from op_worker.storage.helper import StorageStat

_MODES = {FileType.REG: 0o664, FileType.DIR: 0o775}
_MODE_BITS = 0o1777


@frozen(eq=False)
class Steps:
    """What a commit does about one name.

    ``location`` is what the file's location was and is, where it changes; room is accounted for by it.
    ``is_quiet`` says that users see no difference.
    """

    key: Key
    steps: Sequence[Step]
    location: tuple[Location | None, Location] | None = None
    is_quiet: bool = False


def unmoved_entry(directory: Chain, node: Node) -> list[Step]:
    """Demand that an entry stands where it was read and nothing is pending at it."""
    path = f"{directory.storage_path}/{node.name}"
    return [Check(node.key, PARENT, node.revision(PARENT)), Check(INTENTS, path, ABSENT)]


def unchanged_entries(directory: Chain) -> Step:
    """Demand that nobody added or removed an entry of a directory since it was read."""
    return Check(directory.file.key, TIMES, directory.file.revision(TIMES))


def create(
    directory: Chain,
    name: str,
    key: Key,
    stat: StorageStat,
    *,
    owner: str,
    provider_id: str,
    storage_id: str,
    charges: tuple[str, ...],
    now_s: float,
) -> Steps:
    """Return what makes a name of the storage known; nothing may have been pending at it."""
    type_ = FileType.DIR if stat.is_directory else FileType.REG
    meta = Meta(name, type_, mode_of(stat, type_), owner, provider_id, int(now_s))
    documents = {
        META: meta.encode(),
        TIMES: _times(stat, None, now_s).encode(),
        PARENT: encode_parent(directory.file.key),
    }
    location = None
    if type_ is FileType.REG:
        location = Location(storage_id, stat.size_b, whole(stat.size_b), version=1, charges=charges)
        documents[LOCATION] = location.encode()
    documents[SEEN] = Seen.of(stat, location).encode()
    puts = [Put(key, field, data, expect=ABSENT) for field, data in documents.items()]
    link = Link(directory.file.key, name.encode(), EntryValue(key, type_).encode())
    return Steps(key, [link, *puts], None if location is None else (None, location))


def remember(directory: Chain, node: Node, stat: StorageStat) -> Steps:
    """Return what keeps what the storage says of a file that is as the space says."""
    step = _see(node, stat, node.location)
    checks = [] if node.location is None else [Check(node.key, LOCATION, node.revision(LOCATION))]
    return Steps(node.key, [*unmoved_entry(directory, node), *checks, step], is_quiet=True)


def change_content(directory: Chain, node: Node, stat: StorageStat, now_s: float) -> Steps:
    """Return what makes the content of a file another: all that its storage file has now."""
    old = node.location or Location("")
    new = evolve(
        old,
        size_b=stat.size_b,
        blocks=whole(stat.size_b),
        version=old.version + 1,
        sha256=b"",
        trims=old.trims + (stat.size_b < old.size_b),
    )
    put = Put(node.key, LOCATION, new.encode(), expect=node.revision(LOCATION))
    steps = [*_attributes(directory, node, stat, now_s), put, _see(node, stat, new)]
    return Steps(node.key, steps, (old, new))


def change_attributes(directory: Chain, node: Node, stat: StorageStat, now_s: float) -> Steps:
    """Return what takes over the times of a file, and its mode when that was changed on the storage."""
    steps = [*_attributes(directory, node, stat, now_s), _see(node, stat, node.location)]
    if node.location is not None:
        steps.append(Check(node.key, LOCATION, node.revision(LOCATION)))
    return Steps(node.key, steps)


def end_file(directory: Chain, node: Node) -> Steps:
    """Return what ends a file whose bytes are gone."""
    steps = [
        *unmoved_entry(directory, node),
        Unlink(directory.file.key, node.name.encode(), node.entry_value),
        *batches.forget(node),
    ]
    return Steps(node.key, steps)


def mode_of(stat: StorageStat, type_: FileType) -> int:
    """Return the mode of a file on the storage, or what files of its type have."""
    return _MODES[type_] if stat.mode is None else stat.mode & _MODE_BITS


def _see(node: Node, stat: StorageStat, location: Location | None) -> Step:
    return Put(node.key, SEEN, Seen.of(stat, location).encode(), expect=node.revision(SEEN))


def _attributes(directory: Chain, node: Node, stat: StorageStat, now_s: float) -> list[Step]:
    seen = seen_of(node)
    times = _times(stat, node.times, now_s)
    steps = [
        *unmoved_entry(directory, node),
        Put(node.key, TIMES, times.encode(), expect=node.revision(TIMES)),
    ]
    if seen is not None and seen.mode != stat.mode and stat.mode is not None:
        meta = evolve(node.meta, mode=mode_of(stat, node.type))
        steps.append(Put(node.key, META, meta.encode(), expect=node.revision(META)))
    return steps


def _times(stat: StorageStat, before: Times | None, now_s: float) -> Times:
    mtime_ms = int(stat.mtime_s * 1000)
    ctime_ms = int((now_s if stat.ctime_s is None else stat.ctime_s) * 1000)
    atime_ms = int(stat.atime_s * 1000) if stat.atime_s is not None else mtime_ms
    if before is None:
        return Times(atime_ms, mtime_ms, ctime_ms)
    return evolve(before, mtime_ms=mtime_ms, ctime_ms=ctime_ms)

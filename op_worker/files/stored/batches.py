"""The steps that change a namespace, and what they demand to hold. Pure.

A storage path is computed from names, so a commit that speaks of one demands that no directory on
the way was moved or removed since it was read (``parent`` documents are written by moves only), and
that no storage operation is pending on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from cluster_worker.persistence.engine import (
    ABSENT,
    Check,
    Delete,
    Key,
    Link,
    Put,
    RequireEmpty,
    Step,
    Unlink,
)
from onedata.ids import trash_uuid
from op_worker.files.model import FileType
from op_worker.files.rights import immutability, protection
from op_worker.files.stored import hard_links
from op_worker.files.stored.charges import give_back
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import LOCATION, META, PARENT, TIMES, Location, Times, encode_parent
from op_worker.files.stored.intents import require_settled, require_settled_above
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.quotas import QUOTAS, of_directory


def unmoved(chain: Chain) -> list[Step]:
    """Demand that the file and every directory above still stand where they were read."""
    return [Check(node.key, PARENT, node.revision(PARENT)) for node in chain.nodes[1:]]


def steady(directory: Chain) -> list[Step]:
    """Demand that a directory stands where it was read and nothing is pending at it or above."""
    if directory.is_root:
        return []
    return [*unmoved(directory), *require_settled(directory.storage_path)]


def steady_file(chain: Chain) -> list[Step]:
    """Demand that a file's bytes are where they were read and nothing is pending above them."""
    file = chain.file
    if chain.is_apart:
        return [Check(file.key, LOCATION, file.revision(LOCATION))]
    return [*unmoved(chain), *require_settled_above(chain.storage_path)]


def steady_name(chain: Chain) -> list[Step]:
    """Demand what a change of a name needs besides the entry itself: nothing, unless bytes follow it."""
    return [] if chain.is_apart or chain.file.link else steady_file(chain)


def unchanged(file: Node, condition: ContentCondition) -> list[Step]:
    """Demand that what a condition was decided on is as it was read."""
    if condition == NO_CONDITION:
        return []
    fields = [LOCATION] if file.location is not None else []
    if condition.of_state:
        fields.extend((META, TIMES))
    elif condition.unmodified_since_s is not None:
        fields.append(TIMES)
    return [Check(file.key, field, file.revision(field)) for field in fields]


def touch(directory: Node, now_s: float) -> Step:
    """Return the step that says that a directory's entries changed now."""
    return Put(directory.key, TIMES, directory.times.modified(now_s).encode())


def first_documents(meta: Meta, parent: Key, location: Location | None, now_s: float) -> dict[str, bytes]:
    """Return the documents of a new file."""
    documents = {
        META: meta.encode(),
        TIMES: Times.at(now_s).encode(),
        PARENT: encode_parent(parent),
    }
    if location is not None:
        documents[LOCATION] = location.encode()
    return documents


def create(
    directory: Chain, key: Key, raw_name: bytes, value: bytes, documents: Mapping[str, bytes], now_s: float
) -> list[Step]:
    """Return the steps that make a new file in a directory."""
    parent = directory.file
    made = new_file(parent.key, key, raw_name, value, documents)
    return [*steady(directory), *made, touch(parent, now_s)]


def new_file(
    directory: Key, key: Key, raw_name: bytes, value: bytes, documents: Mapping[str, bytes]
) -> list[Step]:
    """Return the steps that make a new file and its entry, and nothing else of what ``create`` does."""
    puts = [Put(key, field, data, expect=ABSENT) for field, data in documents.items()]
    return [Link(directory, raw_name, value), *puts]


def forget(node: Node) -> list[Step]:
    """Return the steps that end a file's documents; a directory must be empty, a file without other names."""
    steps: list[Step] = [Delete(node.key)]
    is_directory = node.is_directory
    steps.extend(immutability.register_steps(node.key, node.immutability, None, is_directory=is_directory))
    if is_directory:
        steps.append(RequireEmpty(node.key))
        steps.extend(protection.register_steps(node.key, node.protection, 0))
        steps.extend(forget_quota(node))
    steps.append(Check(node.key, META, node.revision(META)))
    if node.location is not None:
        steps.append(Check(node.key, LOCATION, node.revision(LOCATION)))
        steps.extend(give_back(node.location))
    return steps


def drop_name(node: Node, now_s: float) -> list[Step]:
    """Return the steps for a file whose entry goes: it loses this name, with the last one it ends."""
    if node.meta.links > 1:
        return hard_links.lose_name(node, now_s)
    return [*forget(node), *hard_links.forget_link(node)]


def forget_quota(directory: Node) -> list[Step]:
    """Return the steps that end the quota of a directory that ends."""
    return [Delete(QUOTAS, of_directory(directory.key))] if directory.meta.has_quota else []


def remove(chain: Chain, now_s: float) -> list[Step]:
    """Return the steps that remove a name of a file, or an empty directory."""
    parent = chain.parent
    return [
        *steady_name(chain),
        Unlink(parent.key, chain.file.name.encode(), chain.file.entry_value),
        *drop_name(chain.file, now_s),
        touch(parent, now_s),
    ]


def move(
    source: Chain, directory: Chain, name: str, replaced: Node | None, location: Location | None, now_s: float
) -> list[Step]:
    """Return the steps that move ``source`` to ``name`` in ``directory``, over ``replaced``."""
    file = source.file
    value = file.entry_value
    steps: list[Step] = [
        *steady_name(source),
        *steady(directory),
        Unlink(source.parent.key, file.name.encode(), value),
        Link(directory.file.key, name.encode(), value, None if replaced is None else replaced.entry_value),
        *rename(file, directory.file.key, name),
        Put(file.key, TIMES, file.times.changed(now_s).encode()),
        touch(source.parent, now_s),
    ]
    if directory.file.key != source.parent.key:
        steps.append(touch(directory.file, now_s))
    if location is not None:
        steps.append(Put(file.key, LOCATION, location.encode(), expect=file.revision(LOCATION)))
    if replaced is not None:
        steps.append(Unlink(directory.file.key, name.encode(), replaced.entry_value))  # it must stand there
        steps.extend(drop_name(replaced, now_s))
    return steps


def rename(file: Node, directory: Key, name: str) -> list[Step]:
    """Return the steps that tell the record of a name, whose entry is moved along, where it is now."""
    if file.link:
        return hard_links.rename(file, directory, name)
    return [
        Put(file.key, META, evolve(file.meta, name=name).encode(), expect=file.revision(META)),
        Put(file.key, PARENT, encode_parent(directory), expect=file.revision(PARENT)),
    ]


def move_to_trash(chain: Chain, trash: Key, now_s: float) -> list[Step]:
    """Return the steps that take a directory out of the namespace, with all it holds."""
    file = chain.file
    return [
        *steady_file(chain),
        Unlink(chain.parent.key, file.name.encode(), file.entry_value),
        Link(trash, file.key.encode(), file.entry_value),
        Put(file.key, PARENT, encode_parent(trash), expect=file.revision(PARENT)),
        touch(chain.parent, now_s),
    ]


def exchange(source: Chain, replaced: Chain, now_s: float) -> list[Step]:
    """Return the steps that put a directory in the place of another one, which goes into the trash.

    No bytes lie at the path of ``source``, so nothing is to be done on the storage for it.
    """
    file, old, directory = source.file, replaced.file, replaced.parent
    trash, name = Key(trash_uuid(replaced.space_id)), old.name
    return [
        *steady_file(source),
        *steady_file(replaced),
        Unlink(source.parent.key, file.name.encode(), file.entry_value),
        Link(directory.key, name.encode(), file.entry_value, old.entry_value),
        *rename(file, directory.key, name),
        Put(file.key, TIMES, file.times.changed(now_s).encode()),
        Link(trash, old.key.encode(), old.entry_value),
        Put(old.key, PARENT, encode_parent(trash), expect=old.revision(PARENT)),
        touch(directory, now_s),
    ]


def has_bytes(node: Node) -> bool:
    """Whether a file may be found on its storage: regular files and directories."""
    return node.type is not FileType.SYMLNK

"""What is to be done about a name that the storage and the space may both know. Pure.

| on the storage | in the space | verdict |
| --- | --- | --- |
| file, directory | nothing | ``CREATE`` |
| the same kind, as it was seen last | the same | ``SAME`` |
| a file as we wrote it, not seen yet | a file | ``REMEMBER`` |
| another size, time or tag | a file | ``CONTENT`` |
| other modes, owners or change times | the same kind | ``ATTRIBUTES`` |
| another kind | a file or directory whose bytes should be here | ``REPLACE`` |
| anything | a link, or a file whose bytes are elsewhere | ``TAKEN`` |
| anything | something with a pending operation | ``BUSY`` |
| nothing | a file, or a directory that was seen here | ``GONE`` |
| nothing | a directory that was not seen here | ``EMPTY`` |
"""

from __future__ import annotations

from enum import Enum

from op_worker.files.model import FileType
from op_worker.files.stored.blocks import upper
from op_worker.files.stored.documents import Location
from op_worker.files.stored.nodes import Node
from op_worker.importing.configuration import ScanOptions
from op_worker.importing.seen import Seen, seen_of
from op_worker.storage.helper import StorageStat

_SLACK_MS = 2000
"""By how much the clock of a storage may go ahead of ours, unnoticed."""


class Verdict(Enum):
    """What is to be done about a name."""

    CREATE = "make it known"
    SAME = "nothing"
    REMEMBER = "remember what the storage says"
    CONTENT = "its content is another"
    ATTRIBUTES = "its attributes are others"
    REPLACE = "it is of another type: end the old one, make the new one known"
    TAKEN = "the name is taken by something that is not on this storage"
    BUSY = "somebody works at it; look later"
    GONE = "end it"
    EMPTY = "end those files in it whose bytes are gone"
    IGNORE = "it is not for us"


def judge(
    stat: StorageStat, node: Node | None, options: ScanOptions, *, storage_id: str, is_pending: bool
) -> Verdict:
    """Return what is to be done about something on the storage, given what has its name in the space."""
    if stat.is_other:
        return Verdict.IGNORE
    if is_pending:
        return Verdict.BUSY
    if node is None:
        return Verdict.CREATE
    if not node.exists:
        return Verdict.BUSY
    if node.type is FileType.SYMLNK or node.link or not _is_here(node, storage_id):
        return Verdict.TAKEN
    if node.is_directory != stat.is_directory:
        may_end = options.detect_deletions and options.detect_modifications
        return Verdict.REPLACE if may_end else Verdict.SAME
    seen = seen_of(node)
    if seen is None:
        verdict = (
            Verdict.REMEMBER if node.is_directory else _unseen(stat, node.location or Location(""), node)
        )
    else:
        verdict = _changed(stat, node, seen)
    if verdict in (Verdict.CONTENT, Verdict.ATTRIBUTES) and not options.detect_modifications:
        return Verdict.SAME
    return verdict


def judge_missing(node: Node, *, storage_id: str) -> Verdict:
    """Return what is to be done about something in the space that is not on the storage."""
    if not node.exists or node.type is FileType.SYMLNK or node.link or node.meta.links > 1:
        return Verdict.SAME
    if node.is_directory:
        if node.holds_snapshots:
            return Verdict.SAME
        return Verdict.EMPTY if seen_of(node) is None else Verdict.GONE
    location = node.location
    if location is None or not _is_here(node, storage_id):
        return Verdict.SAME
    return Verdict.BUSY if location.staged else Verdict.GONE


def _is_here(node: Node, storage_id: str) -> bool:
    location = node.location
    return location is None or (location.storage_id == storage_id and not location.is_apart)


def _changed(stat: StorageStat, node: Node, seen: Seen) -> Verdict:
    location = node.location
    if location is None:
        told = Seen.of(stat, None)
        is_same = (told.mode, told.uid, told.gid) == (seen.mode, seen.uid, seen.gid)
        return Verdict.SAME if is_same else Verdict.ATTRIBUTES
    if location.staged:
        return Verdict.BUSY
    if not seen.is_of(location):
        return _unseen(stat, location, node)
    told = Seen.of(stat, location)
    if not told.has_content_of(seen):
        return Verdict.CONTENT
    return Verdict.SAME if told.has_attributes_of(seen) else Verdict.ATTRIBUTES


def _unseen(stat: StorageStat, location: Location, node: Node) -> Verdict:
    """Judge a file that was written through us since it was seen last.

    Its storage file may be shorter than the file, which may end with a hole. What was changed here later
    than through us was changed by others.
    """
    if location.staged:
        return Verdict.BUSY
    is_fitting = upper(location.blocks) <= stat.size_b <= location.size_b
    is_later = stat.mtime_s * 1000 > node.times.ctime_ms + _SLACK_MS
    return Verdict.REMEMBER if is_fitting and not is_later else Verdict.CONTENT

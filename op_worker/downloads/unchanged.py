"""Whether a tree is still what it was when its download began, as far as it was sent."""

from __future__ import annotations

from attrs import define, field

from cluster_worker.persistence.engine import Engine, Scope, Seq
from onedata.ids import FileUuid
from op_worker.downloads.codes import DownloadCode
from op_worker.files.model import FileStat

SKEW_S = 60.0
"""Clocks of nodes agree to this much; what changed earlier before the start did not change since."""
MOST_CHANGES = 100_000
"""After more changes in a space a download is not resumed."""
_PAGE = 1000


class ChangedSince(Exception):
    """Something that was sent, or may have been, is another now."""


@define(eq=False)
class Unchanged:
    """Asks the change feed about the files whose times do not rule a change out.

    The times of a file are read before the feed, and a change sets both in one commit: what is found with
    new times is found in the feed as well.
    """

    _engine: Engine
    _code: DownloadCode
    _changed: set[str] = field(factory=set)
    _seq: Seq = field(init=False)

    @_seq.default
    def _start(self) -> Seq:
        return Seq(self._code.start_seq)

    async def require(self, stat: FileStat) -> None:
        """Return when a file that was just read did not change since the start. Raises: ChangedSince."""
        if max(stat.mtime_s, stat.ctime_s) < self._code.start_s - SKEW_S:
            return
        await self._read_feed()
        if inode_of(stat.guid.uuid) in self._changed:
            raise ChangedSince()

    async def _read_feed(self) -> None:
        scope = Scope(self._code.guid.space_id)
        while changes := await self._engine.changes(scope, self._seq, _PAGE):
            self._changed.update(change.key for change in changes)
            self._seq = changes[-1].seq
            if len(self._changed) > MOST_CHANGES:
                raise ChangedSince()


def inode_of(uuid: FileUuid) -> str:
    """Return the key that the documents of a file have: a further name of it has an id of its own."""
    return uuid.rpartition("_file_")[2] if uuid.startswith("link_") else uuid

"""Downloads by code: a link that carries its issuer's rights for a while, to be resumed at any node."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Delete,
    Engine,
    Link,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.tenure.tenure import Tenure
from onedata.errors import BadValueIdNotFound
from onedata.ids import FileGuid
from onedata.tokens.request_caveats import TimeCaveat
from op_worker.auth.caller import Caller
from op_worker.downloads.archive import ArchiveStream, measure
from op_worker.downloads.codes import CODES, DOWNLOADS, RECORD, DownloadCode, key_of, name_of
from op_worker.downloads.members import Members
from op_worker.downloads.unchanged import Unchanged
from op_worker.files.model import FileStat, Follow, Target
from op_worker.files.service import FileService

LIFETIME_S = 3600.0
"""How long a code is good for; a download that runs then goes on."""
SWEEP_S = 600.0
_CODE_B = 24
_PAGE = 200


class Downloads(OrderedService):
    """Issues codes and serves what they lead to.

    Args:
        random_bytes: a source that nobody can guess.
    """

    _log = Logger()

    def __init__(
        self,
        files: FileService,
        engine: Engine,
        *,
        wall_clock: WallClock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        super().__init__()
        self.files, self._engine = files, engine
        self._wall_clock, self._random_bytes = wall_clock, random_bytes
        works = files.context.works
        works.one("sweep of download codes", self._sweep_as_owner, SWEEP_S).setServiceParent(self)

    async def issue(self, caller: Caller, guid: FileGuid, *, follows: bool) -> str:
        """Return a new code for a file that the caller may see.

        It works for ``LIFETIME_S``, and not longer than the caller's token.

        Raises: PersistenceUnavailable; Posix(ENOENT, EACCES); Forbidden.
        """
        await self.files.stat(caller, Target(guid))
        code, now_s = self._random_bytes(_CODE_B).hex(), self._wall_clock()
        record = DownloadCode(
            caller=caller,
            guid=guid,
            follows=follows,
            start_s=now_s,
            start_seq=await self._engine.last_seq(Scope(guid.space_id)),
            expires_s=min([now_s + LIFETIME_S, *_ends_of(caller)]),
        )
        name = name_of(code)
        key = key_of(name)
        steps: list[Step] = [
            Link(CODES, name.encode(), key.encode()),
            Put(key, RECORD, record.encode(), expect=ABSENT),
        ]
        await self._engine.commit(DOWNLOADS, Batch(steps))
        return code

    async def redeem(self, code: str) -> tuple[DownloadCode, FileStat]:
        """Return what a code stands for, and the file that it leads to.

        Raises: BadValueIdNotFound of ``code``; Posix, Forbidden when its issuer lost the rights.
        """
        found = await self._engine.get(DOWNLOADS, key_of(name_of(code)), [RECORD])
        record = DownloadCode.decode(found[RECORD].data) if RECORD in found else None
        if record is None or record.expires_s <= self._wall_clock():
            raise BadValueIdNotFound("code")
        follow = Follow.YES if record.follows else Follow.NO
        return record, await self.files.stat(record.caller, Target(record.guid), follow)

    def archive(self, record: DownloadCode, top: FileStat) -> ArchiveStream:
        """Return the archive of a directory, from its beginning."""
        return ArchiveStream(self._members(record, top))

    async def resumed(
        self, record: DownloadCode, top: FileStat, position_b: int
    ) -> tuple[ArchiveStream, int]:
        """Return the archive from a position on, and its whole length in bytes.

        Raises: ChangedSince when what lies before the position is not surely what was sent.
        """
        members, unchanged = self._members(record, top), Unchanged(self._engine, record)
        found = await measure(members, position_b, unchanged)
        return ArchiveStream(members, position_b, found.bookmark, found.total_b), found.total_b

    async def sweep(self) -> None:
        """Forget codes that are not good any more. Raises: PersistenceUnavailable."""
        after: bytes | None = None
        while items := await self._engine.page(DOWNLOADS, CODES, after, _PAGE, [RECORD]):
            for item in items:
                after = item.entry.name
                document = item.documents.get(RECORD)
                if document is None or DownloadCode.decode(document.data).expires_s <= self._wall_clock():
                    await self._forget(item.entry.name, item.entry.value)

    async def _forget(self, name: bytes, value: bytes) -> None:
        steps: list[Step] = [Unlink(CODES, name, value), Delete(key_of(name.decode()))]
        try:
            await self._engine.commit(DOWNLOADS, Batch(steps))
        except PreconditionFailed:
            return  # another node was quicker

    async def _sweep_as_owner(self, _: Tenure) -> None:
        try:
            await self.sweep()
        except PersistenceError as error:
            self._log.warn("old download codes stay for now: {error}", error=error)

    def _members(self, record: DownloadCode, top: FileStat) -> Members:
        return Members(self.files, record.caller, top, record.follows)


def _ends_of(caller: Caller) -> list[float]:
    """Return when the token of the caller ends, if it does."""
    return [caveat.valid_until for caveat in caller.caveats if isinstance(caveat, TimeCaveat)]

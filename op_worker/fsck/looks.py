"""Another look at each suspect: everything it rests on is read again before it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Scope
from onedata.ids import SpaceId
from op_worker.files.stored.intents import INTENTS, Intent
from op_worker.fsck.byte_looks import ByteLooks
from op_worker.fsck.entry_looks import EntryLooks
from op_worker.fsck.file_looks import FileLooks
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.lost_found import LostFound
from op_worker.fsck.mend import Mend
from op_worker.fsck.pace import Pace
from op_worker.fsck.report import Options
from op_worker.fsck.share_looks import ShareLooks
from op_worker.fsck.tools import Tools
from op_worker.storage.supports import Support

Look = Callable[[Finding], Awaitable[Mend | None]]


@frozen(eq=False)
class Looks:
    """Looks at suspects of one space again."""

    _engine: Engine
    _space_id: SpaceId
    _entries: EntryLooks
    _files: FileLooks
    _bytes: ByteLooks | None
    shares: ShareLooks

    @staticmethod
    def of(tools: Tools, space_id: SpaceId, support: Support | None, options: Options) -> Looks:
        """Return looks at a space; without ``support`` its storage is not looked at."""
        engine = tools.engine
        lost_found = LostFound(engine, space_id, tools.wall_clock, tools.random_bytes)
        on_storage = None
        if support is not None:
            pace = Pace(tools.clock, options.rate_b)
            on_storage = ByteLooks(
                engine, tools.journal, support.storage, space_id, lost_found, tools.random_bytes, pace
            )
        return Looks(
            engine,
            space_id,
            EntryLooks(engine, space_id),
            FileLooks(engine, space_id, lost_found),
            on_storage,
            ShareLooks(engine, space_id),
        )

    async def look(self, finding: Finding, *, is_repaired: bool, deletes_orphans: bool) -> Mend | None:
        """Return how a suspect is repaired, an empty mend when it is not; ``None`` when nothing is wrong."""
        code, on_storage = finding.code, self._bytes
        if code is Code.ORPHANED_FILE:
            return await self._files.orphaned(finding, is_repaired=is_repaired)
        if code is Code.UNKNOWN_BYTES and on_storage is not None:
            return await on_storage.unknown(finding, is_repaired=is_repaired, is_deleted=deletes_orphans)
        looks: dict[Code, Look] = {
            Code.UNREADABLE: self._files.unreadable,
            Code.LINK_COUNT: self._files.link_count,
            Code.UNANNOUNCED: self._files.unannounced,
            Code.REGISTER: self._files.register,
            Code.SHARE: self.shares.look,
            Code.OLD_INTENT: self._intent,
        }
        if on_storage is not None:
            looks[Code.WRONG_DIGEST] = on_storage.digest
            looks[Code.LEFT_STAGING] = on_storage.left_staging
            looks[Code.MISSING_BYTES] = looks[Code.SHORT_BYTES] = on_storage.of_file
        return await looks.get(code, self._entries.look)(finding)

    async def _intent(self, finding: Finding) -> Mend | None:
        found = await self._engine.get(Scope(self._space_id), INTENTS, [finding.place])
        pending = found.get(finding.place)
        if pending is None or Intent.decode(pending.data).operation != finding.name:
            return None
        return Mend(is_settling=True)

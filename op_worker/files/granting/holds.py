"""Holds of files as the administrators of a space handle them: shown, and released."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import evolve, frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import Put, Step
from onedata.errors import NotFound
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.rights.acl_decision import ADMIN_PRIVILEGE
from op_worker.files.rights.immutability import register_steps
from op_worker.files.rights.permissions import NOTHING
from op_worker.files.rules.retention import FREE
from op_worker.files.stored.documents import META, TIMES
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import translated


@frozen(eq=False)
class Holds:
    """Holds of files. Raises what ``FileService`` raises."""

    _context: FilesContext
    _log = Logger()

    @translated
    async def of(self, caller: Caller, target: Target) -> tuple[Sequence[str], Sequence[str]]:
        """Return the holds of a file, and those that bind it, set on any directory above too."""
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        own = chain.file.immutability
        return (() if own is None else own.holds), chain.rules.holds

    @translated
    async def release(self, caller: Caller, target: Target, names: Collection[str]) -> None:
        """Release holds that were set on the file itself; the log tells who did.

        Raises: NotFound for a hold that is not there; Forbidden without ``space_set_privileges``;
            Unauthorized for confined tokens.
        """

        async def attempt() -> None:
            visit, chain = await self._context.chain(caller, target)
            await visit.require(chain, NOTHING)
            visit.require_privilege(ADMIN_PRIVILEGE)
            await self._commit(visit, chain, names)
            self._log.info(
                "{user} released the holds {holds} of {guid} at {path}",
                user=visit.user_id,
                holds=sorted(names),
                guid=chain.guid.text,
                path=chain.path,
            )

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _commit(self, visit: Visit, chain: Chain, names: Collection[str]) -> None:
        file = chain.file
        old = file.immutability or FREE
        if not set(names) <= set(old.holds):
            raise NotFound()
        left = evolve(old, holds=tuple([hold for hold in old.holds if hold not in names]))
        new = None if left == FREE else left
        steps: list[Step] = [
            Put(file.key, META, evolve(file.meta, immutability=new).encode(), expect=file.revision(META)),
            Put(file.key, TIMES, file.times.changed(self._context.wall_clock()).encode()),
            *register_steps(file.key, old, new, is_directory=file.is_directory),
        ]
        await self._context.transactions.commit(visit.space_id, steps, [file.key])

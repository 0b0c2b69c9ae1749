"""Protection flags of files: set, shown, and asked for where whole trees are removed."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Key, Put, Step
from onedata.errors import BadData, Errno, Posix, Unauthorized
from op_worker.auth.caller import Caller
from op_worker.files.access import Visit
from op_worker.files.context import FilesContext
from op_worker.files.documents import META, PARENT, TIMES
from op_worker.files.model import Target
from op_worker.files.nodes import Chain
from op_worker.files.permissions import NOTHING, WRITE_DATA_PRIVILEGE
from op_worker.files.protection import REGISTER, REGISTER_MARK, Protection, register_steps
from op_worker.files.translation import translated
from op_worker.files.verdicts import Fact, FactKind, refused

MANAGE_PRIVILEGE = "space_manage_datasets"
_PAGE = 1000


@frozen(eq=False)
class Protecting:
    """Protection flags of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def flags(self, caller: Caller, target: Target) -> tuple[int, int]:
        """Return the flags of a file, and those that hold for it, set on any directory above too."""
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        return chain.file.protection, chain.protection

    @translated
    async def change(self, caller: Caller, target: Target, wanted: int, unwanted: int) -> None:
        """Set some flags and unset others.

        Raises: Posix(EPERM) without ``space_manage_datasets`` and ``space_write_data``; Unauthorized for
            confined tokens; BadData when metadata would be protected and data not.
        """

        async def attempt() -> None:
            visit, chain = await self._context.chain(caller, target)
            await visit.require(chain, NOTHING)
            _require_managing(visit)
            await self._commit(visit, chain, (chain.file.protection | wanted) & ~unwanted)

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _commit(self, visit: Visit, chain: Chain, flags: int) -> None:
        if flags & Protection.METADATA and not flags & Protection.DATA:
            raise BadData("protectionFlags", "metadata_protection goes with data_protection only")
        file = chain.file
        if flags == file.protection:
            return
        steps: list[Step] = [
            Put(file.key, META, evolve(file.meta, protection=flags).encode(), expect=file.revision(META)),
            Put(file.key, TIMES, file.times.changed(self._context.wall_clock()).encode()),
        ]
        if file.is_directory:
            steps.extend(register_steps(file.key, file.protection, flags))
        await self._context.transactions.commit(visit.space_id, steps, [file.key])


def _require_managing(visit: Visit) -> None:
    if visit.caller.is_limited:
        raise Unauthorized()
    if visit.subject.is_space_owner:
        return
    for privilege in (MANAGE_PRIVILEGE, WRITE_DATA_PRIVILEGE):
        if privilege not in visit.subject.privileges:
            raise Posix(Errno.EPERM, reason=refused(Fact(FactKind.PRIVILEGE, what=privilege)).text)


async def require_unprotected_tree(context: FilesContext, visit: Visit, chain: Chain) -> list[Step]:
    """Return when nothing forbids to remove a directory with all it holds, with what must still hold then.

    Raises: Posix(EPERM) when the directory or one below it is protected.
    """
    mark = (await context.engine.get(visit.scope, REGISTER, [REGISTER_MARK])).get(REGISTER_MARK)
    if mark is None:
        return [Check(REGISTER, REGISTER_MARK, ABSENT)]
    if chain.file.protection & Protection.DATA:
        raise Posix(Errno.EPERM, reason=f"data_protection on {chain.path} forbids to remove what is in it")
    after: bytes | None = None
    while page := await context.engine.page(visit.scope, REGISTER, after, _PAGE, ()):
        after = page[-1].entry.name
        if await _any_below(context, visit, chain.file.key, {Key(item.entry.name.decode()) for item in page}):
            raise Posix(Errno.EPERM, reason=f"a directory in {chain.path} is protected")
    return [Check(REGISTER, REGISTER_MARK, mark.revision)]


async def _any_below(context: FilesContext, visit: Visit, top: Key, keys: set[Key]) -> bool:
    """Whether any of these directories lies below another, climbing with all of them at once."""
    seen: set[Key] = set()
    while keys:
        if top in keys:
            return True
        seen |= keys
        found = await context.engine.get_many(visit.scope, list(keys), [PARENT])
        parents = {Key(documents[PARENT].data.decode()) for documents in found if PARENT in documents}
        keys = parents - seen
    return False

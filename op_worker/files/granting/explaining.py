"""Why may somebody do something with a file, or not: asked of the file service."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from onedata.ids import UserId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.granting.explanations import Explanation, explained, refused_elsewhere
from op_worker.files.model import Target
from op_worker.files.operations import ON_DIRECTORIES as EVERYTHING
from op_worker.files.operations import names_for
from op_worker.files.rights.permissions import NOTHING
from op_worker.files.translation import translated

VIEW_PRIVILEGE = "space_view_privileges"


@frozen(eq=False)
class Explaining:
    """Explains decisions. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def explain(
        self,
        caller: Caller,
        target: Target,
        operations: Sequence[str] | None = None,
        user_id: UserId | None = None,
    ) -> Explanation:
        """Explain what ``user_id``, by default the caller with his token, may do with a file.

        Args:
            operations: names as in masks of ACLs, in lower case; by default all of the file's type.

        Raises: BadValueNotAllowed (``operation``); Forbidden for other users without
            ``space_view_privileges``; Posix(EACCES) when the caller may not get to the file himself, then
            only he himself can be asked about.
        """
        visit, chain = await self._context.chain(caller, target)
        if user_id is None or user_id == visit.user_id:
            allowed = await visit.within_reach(chain)
            if allowed is None:
                await visit.require(chain, NOTHING)
            user_id, subject = visit.user_id, visit.subject
        else:
            visit.require_privilege(VIEW_PRIVILEGE)
            await visit.require(chain, NOTHING)
            allowed = EVERYTHING
            subject = await self._context.access.subject(visit.space, user_id)
        explanation = explained(chain, user_id, subject, visit.facts, operations, allowed or NOTHING)
        if chain.file.meta.links < 2:
            return explanation
        known = names_for(is_directory=chain.file.is_directory)
        found = {name: await visit.refusal_elsewhere(chain, known[name]) for name in known}
        return refused_elsewhere(explanation, {name: one for name, one in found.items() if one is not None})

"""Custom metadata of files: extended attributes, JSON and RDF; and what is changed with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Check, Document, Put, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata import key_path
from op_worker.files.metadata.acl_changes import changed_acl, shown_xattr
from op_worker.files.metadata.attached import attached
from op_worker.files.metadata.custom import (
    FIELDS,
    SETTABLE,
    custom_steps,
    needed_for,
    shown_xattrs,
    with_meta,
)
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.metadata.rule_changes import needed_for_rules, rule_steps, ruled
from op_worker.files.model import REMOVED, Json, MetadataChange, Target
from op_worker.files.rights.permissions import NOTHING, Operation
from op_worker.files.rules.rules import Rules
from op_worker.files.stored.batches import unchanged
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import JSON, META, RDF, decode_json, decode_rdf
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.translation import translated

MAX_INHERITED_B = 16 << 20
"""The most bytes that the metadata of a file and of the directories above may take to be merged."""
_AT_ONCE = 8


@frozen(eq=False)
class Metadata:
    """Extended attributes, JSON and RDF of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def xattrs(
        self, caller: Caller, target: Target, *, inherited: bool = False, internal: bool = False
    ) -> dict[str, Json]:
        """Return extended attributes; ``inherited`` merges those of ancestors, the nearest wins.

        ``internal`` adds ``cdmi_*``, ``onedata_json`` and ``onedata_rdf``.
        """
        visit, chain = await self._readable(caller, target, FIELDS)
        result: dict[str, Json] = {}
        if inherited:
            for documents in await self._documents(visit, visit.lineage(chain)[:-1], FIELDS):
                result.update(shown_xattrs(documents, internal=internal))
        return {**result, **await attached(self._context, visit, chain, internal=internal)}

    @translated
    async def readable(self, caller: Caller, target: Target) -> tuple[dict[str, Json], bool, Rules]:
        """Return what the caller may read of all extended attributes, whether he may read metadata, and the
        rules of the file.

        Who may not read metadata still gets the properties of CDMI, ``SETTABLE``, which are no metadata, and
        the access control list, if he may read that.

        Raises: Posix(EACCES) on the way to the file only.
        """
        visit, chain = await self._context.chain(caller, target, also=FIELDS)
        await visit.require(chain, NOTHING)
        found = shown_xattrs(chain.file.documents, internal=True)
        is_readable = await _is_allowed(visit, chain, Operation.READ_METADATA)
        if not is_readable:
            found = {name: value for name, value in found.items() if name in SETTABLE}
        if await _is_allowed(visit, chain, Operation.READ_ACL):
            found.update(await shown_xattr(self._context, visit, chain))
        return found, is_readable, visit.stat(chain).rules

    @translated
    async def json(
        self, caller: Caller, target: Target, *, inherited: bool = False, filter: str | None = None
    ) -> Json:
        """Return the JSON document or the part at key path ``filter`` (``a.b.[2].c``).

        Raises: Posix(ENODATA) when there is none.
        """
        path = () if filter is None else key_path.parse(filter)
        visit, chain = await self._readable(caller, target)
        nodes = visit.lineage(chain) if inherited else chain.nodes[-1:]
        found = await self._documents(visit, nodes, [JSON])
        values = [decode_json(documents[JSON].data) for documents in found if JSON in documents]
        if not values:
            raise Posix(Errno.ENODATA)
        return key_path.find(reduce(key_path.merged, values), path)

    @translated
    async def rdf(self, caller: Caller, target: Target) -> bytes:
        """Return the RDF document, verbatim. Raises: Posix(ENODATA)."""
        visit, chain = await self._readable(caller, target)
        found = await self._context.engine.get(visit.scope, chain.file.key, [RDF])
        if RDF not in found:
            raise Posix(Errno.ENODATA)
        return decode_rdf(found[RDF].data)

    @translated
    async def change(
        self,
        caller: Caller,
        target: Target,
        change: MetadataChange,
        condition: ContentCondition = NO_CONDITION,
    ) -> None:
        """Change custom metadata in one commit, at which ``condition`` holds.

        Raises: Posix(EPERM) for reserved names; Posix(EACCES); PreconditionNotMet.
        """
        wanted = await checked(self._context.blocking, change)
        if wanted.changes_rules:
            await self._change_rules(caller, target, wanted, condition)
        else:
            await self._change(caller, target, lambda _: wanted, needed_for(wanted), condition)

    @translated
    async def set_json(self, caller: Caller, target: Target, value: Json, filter: str | None = None) -> None:
        """Set the JSON document, or the part at ``filter``. Raises: Posix(ENODATA) through a scalar."""
        if filter is None:
            await self.change(caller, target, MetadataChange(json=value))
        else:
            await self._insert_json(caller, target, value, filter)

    @translated
    async def remove_json(self, caller: Caller, target: Target) -> None:
        """Remove the JSON document; fine when there is none."""
        await self.change(caller, target, MetadataChange(json=REMOVED))

    @translated
    async def set_rdf(self, caller: Caller, target: Target, value: bytes) -> None:
        """Store the RDF document verbatim."""
        await self.change(caller, target, MetadataChange(rdf=value))

    @translated
    async def remove_rdf(self, caller: Caller, target: Target) -> None:
        """Remove the RDF document; fine when there is none."""
        await self.change(caller, target, MetadataChange(rdf=REMOVED))

    async def _insert_json(self, caller: Caller, target: Target, value: Json, filter: str) -> None:
        path = key_path.parse(filter)

        def decide(present: Json) -> MetadataChange:
            return MetadataChange(json=key_path.insert(present, path, value))

        await self._change(caller, target, decide, Operation.WRITE_METADATA)

    async def _change(
        self,
        caller: Caller,
        target: Target,
        decide: Callable[[Json], MetadataChange],
        needed: Operation,
        condition: ContentCondition = NO_CONDITION,
    ) -> None:
        async def attempt() -> None:
            visit, chain = await self._context.chain(caller, target)
            await visit.require(chain, needed)
            condition.require(visit.stat(chain))
            documents = await self._context.engine.get(visit.scope, chain.file.key, FIELDS)
            present = decode_json(documents[JSON].data) if JSON in documents else None
            await self._commit(visit, chain, decide(present), documents, condition)

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _change_rules(
        self, caller: Caller, target: Target, change: MetadataChange, condition: ContentCondition
    ) -> None:
        """Change rules, and other metadata with them; these count only when anything of them would change.

        So an extended period can be sent together with the metadata that a file under retention has.
        """

        async def attempt() -> None:
            visit, chain = await self._context.chain(caller, target)
            documents = await self._context.engine.get(visit.scope, chain.file.key, FIELDS)
            needed = needed_for(change)
            if not custom_steps(chain.file.key, documents, change).steps:
                needed = needed & ~Operation.WRITE_METADATA | needed_for_rules(change)
            await visit.require(chain, needed)
            condition.require(visit.stat(chain))
            await self._commit(visit, chain, change, documents, condition)

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _commit(
        self,
        visit: Visit,
        chain: Chain,
        change: MetadataChange,
        documents: Mapping[str, Document],
        condition: ContentCondition,
    ) -> None:
        context, file = self._context, chain.file
        custom = custom_steps(file.key, documents, change)
        acl = changed_acl(visit, chain, change.acl)
        after = ruled(file.meta, change, context.lookup.now_ms, chain.rules_above, context.offer)
        steps: list[Step] = with_meta(file, after, custom, acl, context.wall_clock())
        announced = [file.key] if steps else []  # finding nothing to do counts when the store confirms it
        steps.extend(rule_steps(chain, file.meta, after))
        if not any(isinstance(step, Put) and step.field == META for step in steps):
            steps.insert(0, Check(file.key, META, file.revision(META)))
        steps[:0] = [
            Check(file.key, field, documents[field].revision if field in documents else ABSENT)
            for field in FIELDS
        ]
        steps[:0] = unchanged(file, condition)
        await context.transactions.commit(visit.space_id, steps, announced)

    async def _documents(
        self, visit: Visit, nodes: Sequence[Node], fields: Sequence[str]
    ) -> list[Mapping[str, Document]]:
        """Return documents of those files that have custom metadata. Raises: Posix(E2BIG)."""
        rich = [node.key for node in nodes if node.meta.has_metadata]
        found: list[Mapping[str, Document]] = []
        size_b = 0
        for start in range(0, len(rich), _AT_ONCE):
            part = await self._context.engine.get_many(visit.scope, rich[start : start + _AT_ONCE], fields)
            size_b += sum(len(document.data) for documents in part for document in documents.values())
            if size_b > MAX_INHERITED_B:
                raise Posix(Errno.E2BIG, "what is inherited takes more than 16 MiB")
            found.extend(part)
        return found

    async def _readable(
        self, caller: Caller, target: Target, also: Sequence[str] = ()
    ) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target, also=also)
        await visit.require(chain, Operation.READ_METADATA)
        return visit, chain


async def _is_allowed(visit: Visit, chain: Chain, needed: Operation) -> bool:
    try:
        await visit.require(chain, needed)
    except Posix:
        return False
    return True

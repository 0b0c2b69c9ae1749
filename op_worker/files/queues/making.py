"""Making queues, empty or with their first values: one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Document, Key, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.acl import inherited
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import custom_steps
from op_worker.files.metadata.rule_changes import needed_for_rules, rule_steps_of_new, ruled
from op_worker.files.model import CreateOptions, FileStat, FileType, MetadataChange, Target
from op_worker.files.queues.adding import Adding, Part
from op_worker.files.queues.values import StagedValue
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.documents import EntryValue
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.queues import Numbering
from op_worker.files.tree.creation import Creation
from op_worker.storage.helper import StoragePath

_NO_DOCUMENTS: Mapping[str, Document] = {}


@frozen(eq=False)
class Making:
    """Makes queues. Whoever may add a data object to a container may add a queue."""

    _context: FilesContext
    _creation: Creation
    _adding: Adding

    async def create(
        self, caller: Caller, target: Target, options: CreateOptions, change: MetadataChange
    ) -> FileStat:
        """Make an empty queue with custom metadata, which are checked already. See ``Queues.create``."""

        async def attempt() -> FileStat:
            visit, directory, name = await self.place(caller, target, options)
            key = self._context.key_for(target)
            return await self.make(visit, directory, name, key, options, change)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def place(self, caller: Caller, target: Target, options: CreateOptions) -> tuple[Visit, Chain, str]:
        """Return where a new queue goes. Raises: Posix(EEXIST, ENOENT, ENOTDIR, EACCES, EPERM)."""
        visit, found = await self._creation.find(caller, target, options)
        if not found.missing:
            visit.require_passage(found.chain)
            raise Posix(Errno.EEXIST)
        directory = await self._creation.directory_for(visit, found, options)
        name = found.missing[-1].decode()
        await self._creation.require_adding(visit, directory, name, FileType.REG)
        return visit, directory, name

    async def make(
        self,
        visit: Visit,
        directory: Chain,
        name: str,
        key: Key,
        options: CreateOptions,
        change: MetadataChange,
        values: Sequence[StagedValue] = (),
    ) -> FileStat:
        """Commit a queue that holds staged values.

        Raises: PreconditionFailed; Posix(EACCES, EPERM), BadData for rules that it cannot have.
        """
        context, parent = self._context, directory.file.key
        now_s, raw = context.wall_clock(), name.encode()
        custom = custom_steps(key, _NO_DOCUMENTS, change)
        meta = self._meta(visit, directory, name, options, change, now_s)
        meta = evolve(meta, has_metadata=custom.has_metadata)
        documents = batches.first_documents(meta, parent, None, now_s)
        queue = directory.child(Node(key, name, {}).written(documents))
        visit.require_alone(queue, needed_for_rules(change) & ~Operation.WRITE_METADATA)
        entry = EntryValue(key, FileType.DIR).encode()
        parts: list[Part] = [Part((), (), [key, parent])]
        numbers = Numbering().numbers(len(values))
        parts += await self._adding.parts(visit, queue, values, numbers, now_s)
        steps: list[Step] = [
            *batches.create(directory, key, raw, entry, documents, now_s),
            *custom.steps,
            *rule_steps_of_new(queue, meta),
            Numbering().give_out(key, len(values)),
            Check(INTENTS, StoragePath(f"{directory.storage_path}/{name}"), ABSENT),
        ]

        async def happened() -> bool:
            return await context.engine.lookup(visit.scope, parent, raw) == entry

        await self._adding.commit(visit, queue, steps, parts, happened)
        return visit.stat(queue)

    def _meta(
        self,
        visit: Visit,
        directory: Chain,
        name: str,
        options: CreateOptions,
        change: MetadataChange,
        now_s: float,
    ) -> Meta:
        """Return what a new queue is; it inherits from the directory's list as data objects do."""
        context = self._context
        if isinstance(change.acl, tuple):
            options = evolve(options, acl=change.acl)
        meta = self._creation.new_meta(visit, directory, name, FileType.DIR, options, now_s)
        meta = ruled(meta, change, context.lookup.now_ms, directory.rules, context.offer)
        meta = evolve(meta, is_queue=True)
        if options.acl is not None or options.copied_acl is not None:
            return meta
        return evolve(meta, acl=inherited(directory.file.meta.acl, is_directory=False))

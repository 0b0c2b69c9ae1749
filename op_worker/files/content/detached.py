"""Making trees out of sight: added to in many commits, they appear in one, or go to the trash.

Bytes in such a tree lie apart from names, so that its appearance moves none. Documents of a file come
before its bytes: what a crash leaves is always explained by documents, and goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen
from twisted.internet.defer import DeferredLock

from cluster_worker.persistence.engine import (
    ABSENT,
    Check,
    Delete,
    Key,
    Link,
    PreconditionFailed,
    Put,
    Scope,
    Step,
    Unlink,
)
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType
from op_worker.files.removing.removals import Removing
from op_worker.files.removing.trash import Trash
from op_worker.files.stored.detached import DETACHED, LEASE, Lease, NewFile
from op_worker.files.stored.documents import META, PARENT, EntryValue, encode_parent
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node

BEAT_S = 10.0
"""Who makes a tree looks at least so often whether it is his still."""
_PAGE = 200


class TreeLost(Exception):
    """The tree is not ours any more: it was given up, here or elsewhere, because it is not wanted."""


@define(eq=False)
class DetachedTree:
    """A tree that this node makes.

    Attributes:
        visit: who makes it, in which space.
        place: the directory that it will appear in; what it holds is charged as in there.
        revision: of its lease.
    """

    visit: Visit
    place: Chain
    top: NewFile
    maker: str
    beat_s: float
    revision: int = ABSENT + 1
    is_lost: bool = False
    lock: DeferredLock = field(factory=DeferredLock)

    @property
    def key(self) -> Key:
        return self.top.key

    @property
    def space_id(self) -> SpaceId:
        return self.visit.space_id

    @property
    def scope(self) -> Scope:
        return self.visit.scope

    @property
    def above(self) -> list[Key]:
        """The directories that will be above the tree."""
        return [node.key for node in self.place.nodes]


@frozen(eq=False)
class DetachedTrees:
    """Trees that grow out of sight, in every space.

    Raises TreeLost from whatever adds to a tree that is not wanted any more, and otherwise what the
    floors below raise: ``Posix``, ``ServiceUnavailable``, ``PersistenceError``, ``StorageError``.
    """

    _context: FilesContext
    _trash: Trash
    _ours: dict[Key, DetachedTree] = field(factory=dict)

    async def begin(
        self,
        visit: Visit,
        place: Chain,
        top: NewFile,
        also: Sequence[Step] = (),
        announce: Sequence[Key] = (),
    ) -> DetachedTree:
        """Begin a tree with its top, which may be a file; ``also`` is committed together with it.

        Raises: PreconditionFailed of one of ``also``.
        """
        now_s = self._context.wall_clock()
        tree = DetachedTree(visit, place, top, self._context.lives.own, now_s)
        steps = [
            Link(DETACHED, top.key.encode(), top.entry_value),
            Put(top.key, LEASE, Lease(tree.maker, now_s).encode(), expect=ABSENT),
            *top.steps(await self._context.rooms.of(visit), tree.above),
            *also,
        ]
        await self._context.transactions.commit(visit.space_id, steps, announce)
        self._ours[top.key] = tree
        return tree

    async def add(self, tree: DetachedTree, files: Sequence[NewFile], also: Sequence[Step] = ()) -> None:
        """Add files to directories of the tree in one commit; what their locations hold is charged."""

        async def attempt() -> None:
            room = await self._context.rooms.of(tree.visit)
            steps = [step for file in files for step in file.steps(room, tree.above)]
            await self.commit(tree, [*steps, *also], [file.key for file in files])

        await self._context.transactions.retrying(tree.space_id, attempt)

    async def drop(self, tree: DetachedTree, directory: Key, nodes: Sequence[Node]) -> None:
        """Take entries out of a directory of the tree; what they lead to is purged."""
        trash, now_s = Key(trash_uuid(tree.space_id)), int(self._context.wall_clock())
        steps: list[Step] = []
        for node in nodes:
            steps.append(Unlink(directory, node.name.encode(), node.entry_value))
            steps.append(Link(trash, node.key.encode(), node.entry_value))
            steps.append(Put(node.key, PARENT, encode_parent(trash), expect=node.revision(PARENT)))
            if node.is_directory:
                steps.append(Removing(node.name, node.meta.owner, now_s).begin(node.key))
        await self.commit(tree, steps, [node.key for node in nodes])
        self._trash.purge_soon(tree.space_id)

    async def keep(self, tree: DetachedTree) -> None:
        """Tell that the tree is being made, if that was not told lately."""
        if tree.is_lost:
            raise TreeLost
        if self._context.wall_clock() - tree.beat_s >= BEAT_S:
            await self.commit(tree, [], [])

    async def attach(
        self, tree: DetachedTree, parent: Key, steps: Sequence[Step], announce: Sequence[Key]
    ) -> None:
        """Let the tree appear in a directory: ``steps`` link its top there, in one commit with the rest.

        Raises: PreconditionFailed of one of ``steps``.
        """
        final = [
            Delete(tree.key, LEASE, expect=tree.revision),
            Unlink(DETACHED, tree.key.encode(), tree.top.entry_value),
            Put(tree.key, PARENT, encode_parent(parent), expect=ABSENT),
            *steps,
        ]

        async def happened() -> bool:
            found = await self._context.engine.get(tree.scope, tree.key, [PARENT])
            return PARENT in found and found[PARENT].data == encode_parent(parent)

        try:
            await self._context.transactions.commit(
                tree.space_id, final, [tree.key, parent, *announce], happened
            )
        except PreconditionFailed as refusal:
            if refusal.step in final[:3]:
                tree.is_lost = True
                raise TreeLost from None
            raise
        self._ours.pop(tree.key, None)

    async def discard(self, space_id: SpaceId, key: Key) -> None:
        """Give a tree up: what there is of it is purged. Fine when it is not there any more."""
        known = self._ours.pop(key, None)
        if known is not None:
            known.is_lost = True
        engine, scope = self._context.engine, Scope(space_id)
        while (value := await engine.lookup(scope, DETACHED, key.encode())) is not None:
            found = await engine.get(scope, key, [LEASE, META])
            trash, now_s = Key(trash_uuid(space_id)), self._context.wall_clock()
            steps: list[Step] = [
                Unlink(DETACHED, key.encode(), value),
                Link(trash, key.encode(), value),
                Put(key, PARENT, encode_parent(trash), expect=ABSENT),
                *([Delete(key, LEASE, expect=found[LEASE].revision)] if LEASE in found else []),
            ]
            if META in found and EntryValue.decode(value).type is FileType.DIR:
                meta = Meta.decode(found[META].data)
                steps.append(Removing(meta.name, meta.owner, int(now_s)).begin(key))
            try:
                await self._context.transactions.commit(space_id, steps, [key])
            except PreconditionFailed:
                continue
            self._trash.purge_soon(space_id)

    def purge_soon(self, space_id: SpaceId) -> None:
        """Purge what a commit of our caller put into the trash."""
        self._trash.purge_soon(space_id)

    async def is_alive(self, space_id: SpaceId, key: Key) -> bool:
        """Whether somebody makes the tree."""
        found = await self._context.engine.get(Scope(space_id), key, [LEASE])
        return LEASE in found and await self._is_held(key, Lease.decode(found[LEASE].data))

    async def sweep(self, space_id: SpaceId) -> None:
        """Give up the trees that nobody makes any more. Raises: PersistenceUnavailable."""
        after: bytes | None = None
        scope = Scope(space_id)
        while items := await self._context.engine.page(scope, DETACHED, after, _PAGE, [LEASE]):
            for item in items:
                after = item.entry.name
                lease = item.documents.get(LEASE)
                if lease is None or not await self._is_held(item.key, Lease.decode(lease.data)):
                    await self.discard(space_id, item.key)

    async def _is_held(self, key: Key, lease: Lease) -> bool:
        if key in self._ours:
            return True
        lives = self._context.lives
        return lease.node != lives.own and not await lives.is_over(lease.node)

    async def commit(self, tree: DetachedTree, steps: Sequence[Step], announce: Sequence[Key]) -> None:
        """Commit while the tree is surely ours, one commit after the other; the lease is renewed in time."""
        await tree.lock.acquire()
        try:
            await self._fenced(tree, steps, announce)
        finally:
            tree.lock.release()

    async def _fenced(self, tree: DetachedTree, steps: Sequence[Step], announce: Sequence[Key]) -> None:
        if tree.is_lost:
            raise TreeLost
        now_s = self._context.wall_clock()
        fence: Step = Check(tree.key, LEASE, tree.revision)
        if now_s - tree.beat_s >= BEAT_S:
            fence = Put(tree.key, LEASE, Lease(tree.maker, now_s).encode(), expect=tree.revision)
        try:
            await self._context.transactions.commit(tree.space_id, [fence, *steps], announce)
        except PreconditionFailed as refusal:
            if refusal.step != fence:
                raise
            tree.is_lost = True
            raise TreeLost from None
        if isinstance(fence, Put):
            tree.revision, tree.beat_s = tree.revision + 1, now_s

"""Ending what the storage has not any more: files, and directories from their inside.

Only what was on the storage is ended, and empty directories in directories that are. A directory that still
holds something else, such as a symbolic link or a file whose bytes lie apart, stays, as one that the space
alone knows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Delete, Key, Step
from onedata.errors import Posix
from op_worker.files.context import FilesContext
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.nodes import Node
from op_worker.importing import steps as making
from op_worker.importing.commits import COMMITTED_AT_ONCE, Commit, committed
from op_worker.importing.differing import Verdict, judge_missing
from op_worker.importing.places import Place, Places
from op_worker.importing.seen import SEEN, seen_of
from op_worker.importing.steps import Steps
from op_worker.importing.tallying import Tally

_MOST_TRIES = 8


@frozen(eq=False)
class Ending:
    """Ends files and directories. Raises: StorageError; PersistenceError; what commits raise."""

    _context: FilesContext
    _places: Places

    async def missing(self, place: Place, names: Sequence[str], commit: Commit, tally: Tally) -> None:
        """End those of ``names`` that are not on the storage, as far as they once were there."""
        for first in range(0, len(names), COMMITTED_AT_ONCE):
            gone = await self._end_files(place, names[first : first + COMMITTED_AT_ONCE], commit, tally)
            for node in gone:
                path = (*place.chain.names, node.name)
                kept = {path} if seen_of(node) is None else set[tuple[str, ...]]()
                await self._end_tree(place, path, kept, commit, tally)

    async def end(self, place: Place, node: Node, commit: Commit, tally: Tally) -> bool:
        """End something whose name is on the storage, but of another type; tell whether its name is free."""
        if node.is_directory:
            return await self._end_tree(place, (*place.chain.names, node.name), set(), commit, tally)
        ended = await self._commit_ends(place, [node], commit, tally)
        return ended is not None and bool(ended)

    async def _end_tree(
        self, place: Place, names: tuple[str, ...], kept: set[tuple[str, ...]], commit: Commit, tally: Tally
    ) -> bool:
        """End a directory that is not on the storage, with what was in it; tell whether all of it went.

        Args:
            kept: directories that stay; those that have to stay are added.
        """
        stack = [names]
        while stack:
            here = await self._places.at(place.visit, place.storage, stack[-1], place.options)
            further = [] if here is None else await self._end_inside(here, kept, commit, tally)
            if further:
                stack.extend(further)
                continue
            top = stack.pop()
            if here is None or top in kept:
                continue
            if not await self._end_directory(here, commit, tally):
                kept.add(top)
        return names not in kept

    async def _end_inside(
        self, place: Place, kept: Collection[tuple[str, ...]], commit: Commit, tally: Tally
    ) -> list[tuple[str, ...]]:
        """End the files in a directory; return some directories in it that have to be ended first."""
        after: bytes | None = None
        while page := await self._places.page(place, after):
            after = page[-1]
            names = [name.decode() for name in page]
            gone = await self._end_files(place, names, commit, tally)
            waiting = [(*place.chain.names, node.name) for node in gone]
            if further := [path for path in waiting if path not in kept]:
                return further
        return []

    async def _end_files(
        self, place: Place, names: Sequence[str], commit: Commit, tally: Tally
    ) -> list[Node]:
        """End files that are missing; return the directories that are."""
        now: Place | None = place
        for _ in range(_MOST_TRIES):
            if now is None:
                return []
            nodes = await self._places.nodes(now, names)
            now = await self._places.again(now)  # what is pending counts from after the entries
            if now is None:
                return []
            present = await self._places.stats(now, list(nodes))
            gone = [
                node
                for name, node in nodes.items()
                if name not in present and self._is_gone(now, node, tally)
            ]
            directories = [node for node in gone if node.is_directory]
            files = [node for node in gone if not node.is_directory]
            if await self._commit_ends(now, files, commit, tally) is not None:
                return directories
        tally.postpone(1)
        return []

    def _is_gone(self, place: Place, node: Node, tally: Tally) -> bool:
        verdict = judge_missing(node, storage_id=place.storage.storage_id)
        is_gone = verdict in (Verdict.GONE, Verdict.EMPTY)
        if verdict is Verdict.BUSY or (is_gone and node.name in place.pending):
            tally.postpone(1)
            return False
        return is_gone

    async def _commit_ends(
        self, place: Place, files: Sequence[Node], commit: Commit, tally: Tally
    ) -> Sequence[Node] | None:
        """End files; return those that were free to go, ``None`` when others changed something meanwhile."""
        free = [node for node in files if await self._is_free(place, node, tally)]
        for first in range(0, len(free), COMMITTED_AT_ONCE):
            some = free[first : first + COMMITTED_AT_ONCE]
            ends = [making.end_file(place.chain, node) for node in some]
            guard = [*batches.steady(place.chain), self._touched(place)]
            if not await committed(self._context, place, guard, ends, commit):
                return None
            tally.deleted(place.shown(node.name) for node in some)
        return free

    def _touched(self, place: Place) -> Step:
        return batches.touch(place.chain.file, self._context.wall_clock())

    async def _is_free(self, place: Place, node: Node, tally: Tally) -> bool:
        try:
            await place.visit.require(place.chain.child(node), Operation.DELETE)
        except Posix as error:
            reason = error.reason or error.errno.value
            tally.failed(place.shown(node.name), f"its bytes are gone, and it has to stay: {reason}")
            return False
        return True

    async def _end_directory(self, place: Place, commit: Commit, tally: Tally) -> bool:
        """End a directory if nothing is left in it; else the space alone knows it from now on."""
        node, above = place.chain.file, evolve(place, chain=place.chain.above)
        if not await self._is_free(above, node, tally):
            return False
        end = making.end_file(above.chain, node)
        if place.count == 0 or not await self._places.page(place, None):
            guard = [*batches.steady(above.chain), self._touched(above)]
            if await committed(self._context, above, guard, [end], commit):
                tally.deleted([above.shown(node.name)])
                return True
        forgotten = Steps(node.key, [Delete(Key(node.key), SEEN)], is_quiet=True)
        await committed(self._context, above, batches.steady(above.chain), [forgotten], commit)
        return False

"""Names of one directory, made in the space what they are on the storage.

Nothing is locked, and users work meanwhile. So everything is decided on what was read, in this order: the
directory and what is pending in it; the storage; the entries. A commit that makes something known demands
that nobody added or removed an entry of the directory since. Whatever else it changes was looked at once
more on the storage *after* its documents were read, and the commit demands these documents.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from onedata.errors import Posix
from op_worker.files.charging.rooms import wanted
from op_worker.files.context import FilesContext
from op_worker.files.finding.lookup import space_owner_id
from op_worker.files.stored import batches
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import RESERVED_PREFIX, check_length, check_name
from op_worker.importing import steps as making
from op_worker.importing.commits import COMMITTED_AT_ONCE, Commit, committed
from op_worker.importing.differing import Verdict, judge
from op_worker.importing.ending import Ending
from op_worker.importing.owners import Owners
from op_worker.importing.places import Place, Places
from op_worker.importing.steps import Steps
from op_worker.importing.tallying import Tally
from op_worker.mapping.contract import UnmappedOwnerError
from op_worker.storage.helper import Scanned, StorageStat

MOST_TRIES = 8


@frozen(eq=False)
class Reconciling:
    """Makes names known, changes and ends them.

    Raises: StorageError; PersistenceError; what commits raise.
    """

    _context: FilesContext
    _places: Places
    _ending: Ending
    _owners: Owners

    async def reconcile(self, place: Place, found: Sequence[Scanned], commit: Commit, tally: Tally) -> None:
        """Let the space know what the storage was seen to have in a directory.

        What others change all the time is postponed to the next look.
        """
        todo = {item.name: item.stat for item in self._legal(place, found, tally)}
        left = await self._first(place, todo, commit, tally)
        for _ in range(MOST_TRIES):
            if not left:
                return
            now = await self._places.again(place)
            if now is None:
                return
            left = await self._anew(now, left, commit, tally)
        tally.postpone(len(left))

    async def _first(
        self, place: Place, found: dict[str, StorageStat], commit: Commit, tally: Tally
    ) -> list[str]:
        """Make known what nobody knows; return the names that have to be looked at once more."""
        nodes = await self._places.nodes(place, list(found))
        new: dict[str, StorageStat] = {}
        left = []
        for name, stat in found.items():
            verdict = self._judge(place, name, stat, nodes.get(name))
            if verdict is Verdict.CREATE:
                new[name] = stat
            elif not self._note(place, name, verdict, tally):
                left.append(name)
        return [*left, *await self._create(place, new, commit, tally)]

    async def _anew(self, place: Place, names: Sequence[str], commit: Commit, tally: Tally) -> list[str]:
        """Look at names once more, and do what is to be done; return those that need another look."""
        nodes = await self._places.nodes(place, names)
        stats = await self._places.stats(place, names)
        new, changes, left = {}, list[Steps](), list[str]()
        now_s = self._context.wall_clock()
        for name in names:
            stat, node = stats.get(name), nodes.get(name)
            if stat is None:
                continue  # the look for what is missing ends it
            verdict = self._judge(place, name, stat, node)
            if verdict is Verdict.CREATE:
                new[name] = stat
            elif node is None or self._note(place, name, verdict, tally):
                continue
            elif verdict is Verdict.REPLACE:
                if await self._ending.end(place, node, commit, tally):
                    left.append(name)
            elif verdict is Verdict.REMEMBER:
                changes.append(making.remember(place.chain, node, stat))
            elif verdict is Verdict.CONTENT:
                changes.append(making.change_content(place.chain, node, stat, now_s))
            else:
                changes.append(making.change_attributes(place.chain, node, stat, now_s))
        left.extend(await self._change(place, changes, nodes, commit, tally))
        return [*left, *await self._create(place, new, commit, tally)]

    def _judge(self, place: Place, name: str, stat: StorageStat, node: Node | None) -> Verdict:
        return judge(
            stat,
            node,
            place.options,
            storage_id=place.storage.storage_id,
            is_pending=name in place.pending,
        )

    @staticmethod
    def _note(place: Place, name: str, verdict: Verdict, tally: Tally) -> bool:
        """Count a name that nothing is done about; ``False`` when something is."""
        match verdict:
            case Verdict.SAME:
                tally.unmodified(1)
            case Verdict.IGNORE:
                pass
            case Verdict.BUSY:
                tally.postpone(1)
            case Verdict.TAKEN:
                tally.failed(place.shown(name), "the name is that of a file that is not on this storage")
            case _:
                return False
        return True

    async def _create(
        self, place: Place, found: dict[str, StorageStat], commit: Commit, tally: Tally
    ) -> list[str]:
        """Make names known that the space has not; return those that could not be, for now."""
        if place.chain.file.meta.is_queue:
            for name in found:
                tally.failed(place.shown(name), "values of queues are not added on the storage")
            return []
        names, left = list(found), list[str]()
        for first in range(0, len(names), COMMITTED_AT_ONCE):
            some = names[first : first + COMMITTED_AT_ONCE]
            made = await self._new(place, {name: found[name] for name in some}, tally)
            guard = [*batches.steady(place.chain), making.unchanged_entries(place.chain)]
            if await committed(self._context, place, guard, made, commit):
                tally.created(len(made))
            else:
                left.extend(some)
        return left

    async def _new(self, place: Place, found: dict[str, StorageStat], tally: Tally) -> list[Steps]:
        context, visit = self._context, place.visit
        room, now_s = await context.rooms.of(visit), context.wall_clock()
        owners: dict[int | None, str | None] = {}
        made = []
        for name, stat in found.items():
            if stat.uid not in owners:
                owners[stat.uid] = await self._owner(place, stat.uid)
            owner = owners[stat.uid]
            if owner is None:
                tally.failed(place.shown(name), f"nobody of ours is user {stat.uid} of the storage")
                continue
            made.append(
                making.create(
                    place.chain,
                    name,
                    context.new_key(),
                    stat,
                    owner=owner,
                    provider_id=context.access.provider_id,
                    storage_id=place.storage.storage_id,
                    charges=() if stat.is_directory else wanted(room, owner, place.chain),
                    now_s=now_s,
                )
            )
        return made

    async def _owner(self, place: Place, uid: int | None) -> str | None:
        """Return who owns what a user of the storage owns; ``None`` when he is nobody of ours."""
        try:
            user_id = None if uid is None else await self._owners.owner_of(place.storage.record, uid)
        except UnmappedOwnerError:
            return None
        return user_id or space_owner_id(place.visit.space_id)

    async def _change(
        self,
        place: Place,
        changes: Sequence[Steps],
        nodes: dict[str, Node],
        commit: Commit,
        tally: Tally,
    ) -> list[str]:
        """Commit changes of files; return the names of those that others changed meanwhile."""
        names = {node.key: name for name, node in nodes.items()}
        left: list[str] = []
        for first in range(0, len(changes), COMMITTED_AT_ONCE):
            some = changes[first : first + COMMITTED_AT_ONCE]
            if await committed(self._context, place, batches.steady(place.chain), some, commit):
                tally.modified(sum(1 for change in some if not change.is_quiet))
                tally.unmodified(sum(1 for change in some if change.is_quiet))
            else:
                left.extend(names[change.key] for change in some)
        return left

    @staticmethod
    def _legal(place: Place, found: Sequence[Scanned], tally: Tally) -> list[Scanned]:
        """Return what may be imported; names that no file may have are failures."""
        above = [name.encode() for name in place.chain.names]
        legal = []
        for item in found:
            if item.name.startswith(RESERVED_PREFIX):
                continue
            try:
                check_length([*above, check_name(item.name)])
            except Posix as error:
                tally.failed(place.shown(item.name), error.hint or error.errno.value)
                continue
            legal.append(item)
        return legal

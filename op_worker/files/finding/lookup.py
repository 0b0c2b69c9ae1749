"""Finding files: by id, by path, through symbolic links; one engine round trip for the usual case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Document,
    Engine,
    Key,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.runtime.clock import WallClock
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId, space_root_uuid, split_link_uuid, trash_uuid
from op_worker.files.model import FileType, Follow
from op_worker.files.rights.immutability import REGISTER as KEPT
from op_worker.files.rights.protection import REGISTER
from op_worker.files.stored.documents import BASE, META, NAME, PARENT, TIMES, Times
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import check_path, link_parts
from op_worker.files.stored.stand_ins import TAKING, may_stand_in
from op_worker.zone.directory import Zone

Admit = Callable[[Chain], None]

MAX_LINKS = 40
"""The most symbolic links that one lookup follows."""
ROOT_MODE = 0o775
MOST_ANCESTORS = 4100
"""More than a path of 4096 bytes can have."""


@frozen(eq=False)
class Found:
    """How far a walk got: the last file there is, and the names that nothing was found for."""

    chain: Chain
    missing: tuple[bytes, ...] = ()


@define
class Hops:
    """How many symbolic links a lookup may follow still."""

    left: int = MAX_LINKS

    def take(self) -> None:
        """Count one link. Raises: Posix(ELOOP) when there were too many."""
        if self.left == 0:
            raise Posix(Errno.ELOOP)
        self.left -= 1


def space_owner_id(space_id: SpaceId) -> str:
    """Return the virtual user who owns the root of a space."""
    return f"space_owner_{space_id}"


class Lookup:
    """Finds files of spaces that were entered; knows no users.

    Args:
        zone: knows our id, which is written into the root directories that are made on first use.
    """

    def __init__(self, engine: Engine, wall_clock: WallClock, zone: Zone) -> None:
        self._engine = engine
        self._wall_clock = wall_clock
        self._zone = zone

    async def by_id(self, space_id: SpaceId, uuid: str, also: Sequence[str] = ()) -> Chain:
        """Return a file with its ancestors; ``also`` are further documents to be read of the file itself.

        Raises: Posix(ENOENT) when it does not exist, also when it is being removed.
        """
        root = space_root_uuid(space_id)
        if uuid == root:
            return (await self.walk(space_id, (), also)).chain
        fields = BASE if split_link_uuid(uuid) is None else (*BASE, NAME)
        scope = Scope(space_id)
        found = await self._engine.ancestors(scope, Key(uuid), PARENT, fields, MOST_ANCESTORS, also)
        if found[-1][0] != Key(root):
            raise Posix(Errno.ENOENT)
        nodes = [Node(key, "", documents) for key, documents in reversed(found[1:])]
        nodes.append(await self._named(space_id, *found[0], also))
        if not all(node.exists for node in nodes):
            raise Posix(Errno.ENOENT)
        for node in nodes[1:]:
            node.name = node.name or node.meta.name
        return Chain(space_id, nodes)

    async def _named(
        self, space_id: SpaceId, key: Key, documents: Mapping[str, Document], also: Sequence[str]
    ) -> Node:
        """Return the file that a key names: itself, or the one that it is a hard link of."""
        parts = split_link_uuid(key)
        if parts is None or NAME not in documents:
            return Node(key, "", documents)
        link, file = parts
        name = documents[NAME].data.decode()
        found = await self._engine.get(Scope(space_id), Key(file), (*BASE, *also))
        return Node(Key(file), name, found, link)

    async def again(self, chain: Chain) -> Chain:
        """Read a file and its ancestors anew, by id.

        A file whose bytes lie apart may have lost the name that it was found by: then it is read alone,
        and the directories are as they were.

        Raises: Posix(ENOENT) when it has no name any more.
        """
        try:
            return await self.by_id(chain.space_id, chain.guid.uuid)
        except Posix:
            file = chain.file
            documents = await self._engine.get(Scope(chain.space_id), file.key, BASE)
            now = chain.with_file(Node(file.key, file.name, documents, file.link))
            if not now.file.exists or not now.is_apart or not await self._by_other_names(now):
                raise
        return now

    async def other_names(self, chain: Chain) -> list[Chain]:
        """Return a file by every other name that it has, if the space has anything protected or kept.

        Only then it matters what is above the other names.
        """
        for register in (REGISTER, KEPT):
            if await self._engine.page(Scope(chain.space_id), register, None, 1, ()):
                return await self._by_other_names(chain)
        return []

    async def _by_other_names(self, chain: Chain) -> list[Chain]:
        scope, file = Scope(chain.space_id), chain.file
        listed = await self._engine.page(scope, Key(f"links_{file.key}"), None, file.meta.links, ())
        found = []
        for key in {file.key, *(item.key for item in listed)} - {file.name_key}:
            try:
                found.append(await self.by_id(chain.space_id, key))
            except Posix:
                continue  # the first name was removed, or this one just now, or it is in the bin
        return found

    async def find(
        self,
        space_id: SpaceId,
        uuid: str,
        names: Sequence[str],
        follow: Follow = Follow.NO,
        admit: Admit = lambda chain: None,
        also: Sequence[str] = (),
    ) -> Found:
        """Walk along ``names`` from the directory ``uuid``, through links in the middle unless ``NEVER``.

        ``admit`` is asked before anything is told of a chain that is not the end of the walk: of a link that
        is about to be followed, or of a file that names were asked below. ``also`` are further documents to
        be read of the file that the walk ends at.

        Raises: Posix(ENOENT) without the directory; Posix(ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL); what
        ``admit`` raises.
        """
        if uuid == space_root_uuid(space_id):
            found = await self.walk(space_id, check_path(names), also)
        elif names:
            found = await self._walk_from(await self.by_id(space_id, uuid), check_path(names), also)
        else:
            found = Found(await self.by_id(space_id, uuid, also))
        return await self._followed(found, follow, admit, also)

    async def walk(self, space_id: SpaceId, names: tuple[bytes, ...], also: Sequence[str] = ()) -> Found:
        """Walk from the root of a space, which is made when this is its first use."""
        root = Key(space_root_uuid(space_id))
        for _ in range(3):
            found = await self._engine.resolve(Scope(space_id), root, names, BASE, also)
            if META in found[0].documents:
                nodes = [Node.found(item) for item in found]
                return _existing_part(space_id, nodes, names)
            await self._make_root(space_id)
        raise Posix(Errno.EAGAIN, "the space is being set up")

    async def _walk_from(self, base: Chain, names: tuple[bytes, ...], also: Sequence[str]) -> Found:
        found = await self._engine.resolve(Scope(base.space_id), base.file.key, names, BASE, also)
        nodes = [Node.found(item) for item in found[1:]]
        return _existing_part(base.space_id, [*base.nodes, *nodes], names, len(base.nodes))

    async def _followed(
        self,
        found: Found,
        follow: Follow,
        admit: Admit,
        also: Sequence[str] = (),
        hops: Hops | None = None,
    ) -> Found:
        hops = Hops() if hops is None else hops
        while True:
            file = found.chain.file
            if found.missing:
                if file.type is FileType.DIR:
                    return found
                admit(found.chain)
                if file.type is FileType.REG or follow is Follow.NEVER:
                    raise Posix(Errno.ENOTDIR)
            elif follow is not Follow.YES or file.type is not FileType.SYMLNK:
                return found
            else:
                admit(found.chain)
            hops.take()
            found = await self._through_link(found, admit, also, hops)

    async def _through_link(self, found: Found, admit: Admit, also: Sequence[str], hops: Hops) -> Found:
        chain = found.chain
        base, parts = link_parts(chain.space_id, chain.above.names, chain.file.meta.symlink_target or "")
        while ".." in parts:
            at = parts.index("..")
            names = check_path([*base, *parts[:at]])
            way = await self._followed(await self.walk(chain.space_id, names), Follow.YES, admit, hops=hops)
            base, parts = parent_of(way), parts[at + 1 :]
            admit(way.chain)
        return await self.walk(chain.space_id, check_path([*base, *parts]) + found.missing, also)

    async def require_complete(self, chain: Chain) -> None:
        """Return unless a directory stands for a snapshot that is not complete. Raises: Posix(EBUSY)."""
        if may_stand_in(chain) and await self._engine.get(Scope(chain.space_id), chain.file.key, [TAKING]):
            raise Posix(Errno.EBUSY, "the snapshot is not complete")

    def now_ms(self) -> int:
        """Return the time by the wall clock, in milliseconds since the epoch."""
        return int(self._wall_clock() * 1000)

    async def _make_root(self, space_id: SpaceId) -> None:
        now_s = self._wall_clock()
        root = Key(space_root_uuid(space_id))
        trash = Key(trash_uuid(space_id))
        meta = Meta(
            "", FileType.DIR, ROOT_MODE, space_owner_id(space_id), (self._zone.provider_id or ""), int(now_s)
        ).encode()
        times = Times.at(now_s).encode()
        steps = [
            Put(root, META, meta, expect=ABSENT),
            Put(root, TIMES, times, expect=ABSENT),
            Put(trash, META, meta, expect=ABSENT),
        ]
        try:
            await self._engine.commit(Scope(space_id), Batch(steps, announce=[root]))
        except PreconditionFailed:
            return  # somebody else made it


def parent_of(found: Found) -> tuple[str, ...]:
    """Return the names of the directory that ``..`` leads to from here. Raises: Posix(ENOENT, ENOTDIR)."""
    directory = existing(found)
    if not directory.file.is_directory:
        raise Posix(Errno.ENOTDIR)
    if directory.is_root:
        raise Posix(Errno.ENOENT, "the link leads out of its space")
    return directory.above.names


def existing(found: Found) -> Chain:
    """Return the chain of a walk that got to its end. Raises: Posix(ENOENT)."""
    if found.missing:
        raise Posix(Errno.ENOENT)
    return found.chain


def _existing_part(space_id: SpaceId, nodes: list[Node], names: tuple[bytes, ...], above: int = 1) -> Found:
    """Cut a walk where documents are missing: an entry that is just being removed leads nowhere."""
    count = next((at for at, node in enumerate(nodes) if not node.exists), len(nodes))
    return Found(Chain(space_id, nodes[:count]), names[count - above :])

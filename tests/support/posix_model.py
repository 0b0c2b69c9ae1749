"""A file system of several users in memory, as POSIX has it, plus the privileges of a space.

It is written for clearness: every operation walks the tree, checks each directory on the way, decides, and
changes dictionaries. The namespace is compared with it after each step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from attrs import define, field

from onedata.errors import Errno

Kind = Literal["REG", "DIR", "SYMLNK"]
READ, WRITE, EXECUTE = 4, 2, 1
STICKY = 0o1000
ROOT_OWNER = "nobody"
MOST_HOPS = 40


class Refused(Exception):
    """The model refuses with an errno."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno)
        self.errno = errno


@define(eq=False)
class Inode:
    """A file, a directory or a symbolic link."""

    kind: Kind
    owner: str
    mode: int
    data: bytearray = field(factory=bytearray)
    entries: dict[str, Inode] = field(factory=dict)
    target: str = ""
    xattrs: dict[str, str] = field(factory=dict)
    links: int = 1


@define
class Member:
    """What a user may do in the space as a whole."""

    name: str
    may_read: bool = True
    may_write: bool = True
    is_space_owner: bool = False


@define
class Found:
    """Where a path leads: the directories on the way (the root first), the last name, what is there."""

    way: list[tuple[str, Inode]]
    name: str
    inode: Inode | None

    @property
    def directory(self) -> Inode:
        return self.way[-1][1]

    @property
    def there(self) -> Inode:
        if self.inode is None:
            raise Refused(Errno.ENOENT)
        return self.inode


@define(eq=False)
class PosixModel:
    """The tree. Paths are sequences of names below the root; every method raises ``Refused``."""

    members: dict[str, Member]
    root: Inode = field(factory=lambda: Inode("DIR", ROOT_OWNER, 0o775))

    # looking

    def find(self, user: str, names: Sequence[str], *, follow: bool = False) -> Found:
        """Walk along a path; links in the middle are followed, the last one when asked."""
        way, todo, hops = [("", self.root)], list(names), 0
        if not todo:
            return Found(way, "", self.root)
        while True:
            name = todo.pop(0)
            directory = way[-1][1]
            if directory.kind != "DIR":
                raise Refused(Errno.ENOTDIR)
            self._demand_passage(user, directory)
            inode = directory.entries.get(name)
            if inode is not None and inode.kind == "SYMLNK" and (todo or follow):
                hops += 1
                if hops > MOST_HOPS:
                    raise Refused(Errno.ELOOP)
                way, ahead = self._start_of_link(way, inode.target)
                todo = [*ahead, *todo]
                if not todo:
                    return Found(way[:-1] or way, way[-1][0], way[-1][1])
                continue
            if not todo:
                return Found(way, name, inode)
            if inode is None:
                raise Refused(Errno.ENOENT)
            way.append((name, inode))

    def _start_of_link(
        self, way: list[tuple[str, Inode]], target: str
    ) -> tuple[list[tuple[str, Inode]], list[str]]:
        """Return where a link begins, and the names that follow from there; ``..`` goes up by name."""
        names = [name for name, _ in way[1:]]
        if target.startswith("/"):
            names = []
        for part in target.split("/"):
            if part == "..":
                if not names:
                    raise Refused(Errno.ENOENT)
                names.pop()
            elif part not in ("", "."):
                names.append(part)
        return [("", self.root)], names

    def walk(self) -> Iterator[tuple[tuple[str, ...], Inode]]:
        """Give every path with its inode, in order of names."""
        yield from self._below((), self.root)

    def _below(self, above: tuple[str, ...], directory: Inode) -> Iterator[tuple[tuple[str, ...], Inode]]:
        for name, inode in sorted(directory.entries.items(), key=lambda item: item[0].encode()):
            yield (*above, name), inode
            if inode.kind == "DIR":
                yield from self._below((*above, name), inode)

    # permissions

    def _bits(self, user: str, inode: Inode) -> int:
        return inode.mode >> 6 & 7 if inode.owner == user else inode.mode >> 3 & 7

    def _demand(
        self, user: str, inode: Inode, bits: int, *, reads: bool = False, writes: bool = False
    ) -> None:
        """Demand permission bits, and the privilege of the space that goes with them."""
        member = self.members[user]
        if member.is_space_owner and inode is not self.root:
            return
        if (writes and not member.may_write) or (reads and not member.may_read):
            raise Refused(Errno.EACCES)
        if self._bits(user, inode) & bits != bits:
            raise Refused(Errno.EACCES)

    def _demand_passage(self, user: str, directory: Inode) -> None:
        if directory is not self.root:
            self._demand(user, directory, EXECUTE)

    def _demand_adding(self, user: str, directory: Inode, kind: Kind) -> None:
        self._demand(user, directory, WRITE | EXECUTE, writes=True)

    def _demand_removable(self, user: str, found: Found) -> None:
        self._demand_movable(user, found)
        if found.there.kind == "DIR":
            self._demand(user, found.there, READ, reads=True)

    def _demand_movable(self, user: str, found: Found) -> None:
        inode, directory, member = found.there, found.directory, self.members[user]
        if inode is self.root:
            raise Refused(Errno.EPERM)
        if not member.is_space_owner:
            if not member.may_write:
                raise Refused(Errno.EACCES)
            if directory.mode & STICKY and inode.owner != user:
                raise Refused(Errno.EACCES)
        self._demand(user, directory, WRITE | EXECUTE, writes=True)

    # changing

    def create(self, user: str, names: Sequence[str], kind: Kind, mode: int, target: str = "") -> None:
        found = self.find(user, names)
        if found.inode is not None:
            raise Refused(Errno.EEXIST)
        self._demand_adding(user, found.directory, kind)
        found.directory.entries[found.name] = Inode(kind, user, mode, target=target)

    def put(self, user: str, names: Sequence[str], data: bytes) -> None:
        """Make a file with content, or replace the content of an existing one."""
        found = self.find(user, names, follow=True)
        if found.inode is None:
            self._demand_adding(user, found.directory, "REG")
            found.directory.entries[found.name] = Inode("REG", user, 0o664, bytearray(data))
            return
        self._content(user, found.inode).data[:] = data

    def write(self, user: str, names: Sequence[str], offset_b: int, data: bytes) -> None:
        present = self._content(user, self.find(user, names, follow=True).there).data
        present.extend(bytes(max(0, offset_b - len(present))))
        present[offset_b : offset_b + len(data)] = data

    def truncate(self, user: str, names: Sequence[str], size_b: int) -> None:
        present = self._content(user, self.find(user, names, follow=True).there).data
        del present[size_b:]
        present.extend(bytes(size_b - len(present)))

    def _content(self, user: str, inode: Inode) -> Inode:
        if inode.kind == "DIR":
            raise Refused(Errno.EISDIR)
        self._demand(user, inode, WRITE, writes=True)
        return inode

    def read(self, user: str, names: Sequence[str]) -> bytes:
        inode = self.find(user, names, follow=True).there
        self._demand(user, inode, READ, reads=True)
        if inode.kind == "DIR":
            raise Refused(Errno.EISDIR)
        return bytes(inode.data)

    def names_in(self, user: str, names: Sequence[str]) -> list[str]:
        inode = self.find(user, names).there
        if inode.kind != "DIR":
            return [names[-1]]
        self._demand(user, inode, READ, reads=True)
        return sorted(inode.entries, key=str.encode)

    def link(self, user: str, original: Sequence[str], names: Sequence[str]) -> None:
        """Give a file another name."""
        inode = self.find(user, original).there
        found = self.find(user, names)
        if found.inode is not None:
            raise Refused(Errno.EEXIST)
        self._demand_adding(user, found.directory, "REG")
        if inode.kind == "DIR":
            raise Refused(Errno.EPERM)
        found.directory.entries[found.name] = inode
        inode.links += 1

    def remove(self, user: str, names: Sequence[str], *, empty_only: bool = False) -> None:
        """Remove a name with all below it."""
        found = self.find(user, names)
        inode = found.there
        self._demand_removable(user, found)
        if empty_only and inode.entries:
            raise Refused(Errno.ENOTEMPTY)
        self._unlink(found)

    def _unlink(self, found: Found) -> None:
        inode = found.directory.entries.pop(found.name)
        for gone in (inode, *(below for _, below in self._below((), inode))):
            gone.links -= 1

    def move(self, user: str, source: Sequence[str], goal: Sequence[str]) -> None:
        start = self.find(user, source)
        inode = start.there
        self._demand_movable(user, start)
        end = self.find(user, goal)
        if end.inode is self.root:
            raise Refused(Errno.EPERM)
        replaced = end.inode
        if replaced is inode:
            return
        if any(above is inode for _, above in end.way):
            raise Refused(Errno.EINVAL)
        if replaced is not None:
            if replaced.kind == "DIR" and inode.kind != "DIR":
                raise Refused(Errno.EISDIR)
            if inode.kind == "DIR" and replaced.kind != "DIR":
                raise Refused(Errno.ENOTDIR)
            self._demand_removable(user, end)
        self._demand_adding(user, end.directory, inode.kind)
        if replaced is not None:
            if replaced.entries:
                raise Refused(Errno.ENOTEMPTY)
            self._unlink(end)
        del start.directory.entries[start.name]
        end.directory.entries[end.name] = inode

    def set_mode(self, user: str, names: Sequence[str], mode: int) -> None:
        inode = self.find(user, names).there
        if inode is self.root:
            raise Refused(Errno.EPERM)
        member = self.members[user]
        if not member.is_space_owner and (inode.owner != user or not member.may_write):
            raise Refused(Errno.EACCES)
        inode.mode = mode

    def set_xattr(self, user: str, names: Sequence[str], name: str, value: str) -> None:
        inode = self.find(user, names).there
        self._demand(user, inode, WRITE, writes=True)
        inode.xattrs[name] = value

    def xattrs(self, user: str, names: Sequence[str]) -> dict[str, str]:
        inode = self.find(user, names).there
        self._demand(user, inode, READ, reads=True)
        return dict(inode.xattrs)

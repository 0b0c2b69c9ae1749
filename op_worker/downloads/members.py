"""Walking a tree in the order of its archive: each file with its place, as the reader may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve, frozen

from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.service import FileService

PAGE = 500
_LEFT_OUT = frozenset({Errno.EACCES, Errno.EPERM, Errno.ENOENT})


@frozen
class Bookmark:
    """A place between two pages of the walk: what comes next, and how many bytes come before."""

    token: str | None = None
    position_b: int = 0


START = Bookmark()


@frozen
class Found:
    """A file on the walk: its path in the archive, and the token of the page it came with."""

    path: str
    stat: FileStat
    page_token: str | None
    is_first_of_page: bool


@frozen(eq=False)
class Members:
    """The files of one tree for one reader.

    Args:
        top: the directory that is archived; it is the first member.
        follows: whether a link to a file in the space stands for that file. Links to directories stay
            links, so there are no circles.
    """

    files: FileService
    caller: Caller
    top: FileStat
    follows: bool

    @property
    def name(self) -> str:
        """The name of the first member."""
        return self.top.name.replace("/", "_") or "_"

    async def walk(self, token: str | None = None) -> AsyncIterator[Found]:
        """Yield everything below the top, from the page with ``token`` on; the top itself before all."""
        if token is None:
            yield Found(self.name + "/", self.top, None, is_first_of_page=True)
        while True:
            page = await self.files.list_recursive(
                self.caller, Target(self.top.guid), limit=PAGE, token=token, include_directories=True
            )
            for number, (path, stat) in enumerate(page.items):
                inner = f"{self.name}/{path}" + ("/" if stat.is_directory else "")
                is_first = number == 0 and token is not None
                yield Found(inner, await self._meant(stat), token, is_first_of_page=is_first)
            token = page.next_token
            if token is None:
                return

    async def readable(self, stat: FileStat) -> bool:
        """Whether the reader may read the content of a file, without opening it."""
        try:
            await self.files.require_readable(self.caller, Target(stat.guid))
        except Posix as error:
            if error.errno in _LEFT_OUT:
                return False
            raise
        return True

    async def _meant(self, stat: FileStat) -> FileStat:
        """Return the file that a link stands for, or what was found when it stands for itself."""
        if not self.follows or stat.type is not FileType.SYMLNK:
            return stat
        try:
            target = await self.files.stat(self.caller, Target(stat.guid), Follow.YES)
        except Posix:
            return stat
        return evolve(target, name=stat.name) if target.type is FileType.REG else stat


def may_be_left_out(error: Posix) -> bool:
    """Whether a file that cannot be opened for this reason is left out of an archive."""
    return error.errno in _LEFT_OUT

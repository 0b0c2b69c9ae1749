"""The bytes of an archive, from any position on: a piece at a time, never a whole file in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import frozen

from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import Posix
from op_worker.downloads.members import START, Bookmark, Found, Members, may_be_left_out
from op_worker.downloads.tar_layout import END, Member, member_of
from op_worker.downloads.unchanged import Unchanged
from op_worker.files.model import ContentReader, FileType, Follow, Target

PIECE_B = 256 * 1024


@frozen
class Measured:
    """The length of an archive, and the last bookmark before the wanted position."""

    total_b: int
    bookmark: Bookmark


async def measure(members: Members, position_b: int, unchanged: Unchanged) -> Measured:
    """Lay an archive out without reading any content.

    Everything that begins before ``position_b`` must be unchanged.

    Raises: ChangedSince; Posix when the tree cannot be listed any more.
    """
    at_b, bookmark = 0, START
    async for found in members.walk():
        if at_b <= position_b:
            await unchanged.require(found.stat)
            if found.is_first_of_page:
                bookmark = Bookmark(found.page_token, at_b)
        if await _is_in(members, found):
            at_b += member_of(found.path, found.stat).total_b
    return Measured(at_b + len(END), bookmark)


class ArchiveStream:
    """A ``ByteStream`` of an archive from ``position_b`` on; close it.

    Args:
        bookmark: a place at or before the position, to begin the walk at.
        total_b: how long the archive must turn out to be, when that was promised.
    """

    def __init__(
        self,
        members: Members,
        position_b: int = 0,
        bookmark: Bookmark = START,
        total_b: int | None = None,
    ) -> None:
        self._members = members
        self._skip_b = position_b - bookmark.position_b
        self._token = bookmark.token
        self._left_b = None if total_b is None else total_b - position_b
        self._pieces = self._all()

    async def read(self) -> bytes:
        """Return the next piece, ``b""`` at the end.

        Raises: StreamBroken when the tree does not fit what was promised or sent before.
        """
        pieces: list[bytes] = []
        size_b = 0
        while size_b < PIECE_B:
            try:
                piece = await anext(self._pieces)
            except StopAsyncIteration:
                break
            pieces.append(piece)
            size_b += len(piece)
        self._count(size_b, is_end=size_b == 0)
        return b"".join(pieces)

    async def close(self) -> None:
        """Give an open file back."""
        await self._pieces.aclose()

    def _count(self, size_b: int, *, is_end: bool) -> None:
        if self._left_b is None:
            return
        self._left_b -= size_b
        if self._left_b < 0 or (is_end and self._left_b):
            raise StreamBroken("the tree changed while it was sent")

    async def _all(self) -> AsyncGenerator[bytes, None]:
        async for found in self._members.walk(self._token):
            if self._skip_b and await self._skipped(found):
                continue
            if found.stat.type is not FileType.REG:
                yield self._cut(member_of(found.path, found.stat).head)
                continue
            reader = await self._open(found)
            if reader is None:
                continue
            try:
                async for piece in self._file(found, reader):
                    yield piece
            finally:
                await reader.close()
        yield self._cut(END)

    async def _skipped(self, found: Found) -> bool:
        """Pass over a member that lies before the position as a whole, without opening it."""
        if not await _is_in(self._members, found):
            return True
        total_b = member_of(found.path, found.stat).total_b
        if total_b > self._skip_b:
            return False
        self._skip_b -= total_b
        return True

    async def _open(self, found: Found) -> ContentReader | None:
        try:
            target = Target(found.stat.guid)
            return await self._members.files.open_content(self._members.caller, target, Follow.NO)
        except Posix as error:
            if may_be_left_out(error) and not self._skip_b:
                return None
            raise

    async def _file(self, found: Found, reader: ContentReader) -> AsyncGenerator[bytes, None]:
        member = member_of(found.path, reader.stat)
        if self._skip_b and member != member_of(found.path, found.stat):
            raise StreamBroken("the file changed while its place was looked for")
        yield self._cut(member.head)
        async for piece in self._content(member, reader):
            yield piece
        yield self._cut(bytes(member.padding_b))

    async def _content(self, member: Member, reader: ContentReader) -> AsyncGenerator[bytes, None]:
        at_b = min(self._skip_b, member.size_b)
        self._skip_b -= at_b
        while at_b < member.size_b:
            data = await reader.read(at_b, min(PIECE_B, member.size_b - at_b))
            if not data:
                raise StreamBroken("a file became shorter while it was sent")
            at_b += len(data)
            yield data

    def _cut(self, data: bytes) -> bytes:
        """Return what of ``data`` lies behind the position."""
        cut_b = min(self._skip_b, len(data))
        self._skip_b -= cut_b
        return data[cut_b:]


async def _is_in(members: Members, found: Found) -> bool:
    return found.stat.type is not FileType.REG or await members.readable(found.stat)

"""The layout of an archive: POSIX.1-2001 (pax) headers, and how long each member is. Pure."""

from __future__ import annotations

import tarfile

from attrs import frozen

from op_worker.files.model import FileStat, FileType

BLOCK_B = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK_B)
"""What ends an archive."""
_TYPES = {FileType.REG: tarfile.REGTYPE, FileType.DIR: tarfile.DIRTYPE, FileType.SYMLNK: tarfile.SYMTYPE}


@frozen
class Member:
    """One member: its header, then ``size_b`` bytes of content, then zeros up to a whole block."""

    head: bytes
    size_b: int

    @property
    def padding_b(self) -> int:
        return -self.size_b % BLOCK_B

    @property
    def total_b(self) -> int:
        """The length of the member in the archive."""
        return len(self.head) + self.size_b + self.padding_b


def member_of(path: str, stat: FileStat) -> Member:
    """Return the member for a file.

    The same path and file always give the same bytes: times are in whole seconds, and neither access
    times nor names of users are told.
    """
    info = tarfile.TarInfo(path)
    info.type = _TYPES[stat.type]
    info.mode = stat.mode & 0o7777
    info.mtime = int(stat.mtime_s // 1)
    info.uid, info.gid = stat.display_uid, stat.display_gid
    if stat.type is FileType.REG:
        info.size = stat.size_b
    elif stat.type is FileType.SYMLNK:
        info.linkname = stat.symlink_target or ""
    head = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return Member(head, info.size)

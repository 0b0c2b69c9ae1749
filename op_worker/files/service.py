"""The one service behind every door: files of spaces, as one caller may see and change them.

Every method takes the caller first and raises only ``onedata.errors``: what concerns files is
``Posix`` with an errno, a caller outside the space gets ``Forbidden``, a space that we do not support
gives ``SpaceNotSupportedBy``, and ``ServiceUnavailable`` asks to try again later. What a method has
acknowledged survives the death of any process. Nothing is half done: a method that raises has
changed nothing, unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import TaskService
from cluster_worker.runtime.streams import ByteStream
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.model import (
    ContentReader,
    CreateOptions,
    FileStat,
    Follow,
    Json,
    MetadataChange,
    Page,
    RecursivePage,
    Target,
)
from op_worker.storage.registry import Storages
from op_worker.zone.directory import Zone
from op_worker.zone.records import SpaceInfo


class FileService(TaskService):
    """Files by id and by path.

    Args:
        node_name: ours; it marks operations that we began, so that we can finish them after a crash.
        random_bytes: source of file ids and staging names, such as ``os.urandom``.
    """

    def __init__(
        self,
        engine: Engine,
        zone: Zone,
        storages: Storages,
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
        random_bytes: RandomBytes,
        node_name: str,
    ) -> None:
        super().__init__()

    async def spaces(self, caller: Caller) -> list[SpaceInfo]:
        """Return the caller's spaces by name, also those that this provider does not support."""

    async def find_space(self, caller: Caller, name: str) -> FileGuid:
        """Return the root of the space called ``Name``, ``Name@Id`` or by its bare id.

        Raises: Posix(ENOENT) when the caller has no such space; SpaceNotSupportedBy.
        """

    async def locate(self, caller: Caller, path: tuple[str, ...]) -> FileGuid:
        """Return the file at an absolute path whose first name is a space; ``()`` is the user root.

        Links in the middle are followed, the last one is not. ``.`` components are skipped.

        Raises: Posix(ENOENT, ENOTDIR, EACCES, ELOOP); SpaceNotSupportedBy.
        """

    async def stat(self, caller: Caller, target: Target, follow: Follow = Follow.NO) -> FileStat:
        """Return what is known of a file; user roots and space roots too.

        Raises: Posix(ENOENT, ENOTDIR, EACCES); Forbidden; SpaceNotSupportedBy.
        """

    async def list_children(
        self,
        caller: Caller,
        target: Target,
        *,
        limit: int,
        token: str | None = None,
        index: str | None = None,
        offset: int = 0,
        inclusive: bool = True,
    ) -> Page[FileStat]:
        """Return a page of a directory in name order (bytes); a file is its own sole child.

        ``token`` continues after an earlier page and overrides the rest. ``index`` is a name to start
        at (or right after it, when not ``inclusive``), ``offset`` moves the start by that many entries.

        Raises: Posix(EINVAL) for a bad token or a negative offset without index; Posix(EACCES, ENOENT).
        """

    async def count_children(self, caller: Caller, target: Target) -> int:
        """Return how many entries a directory has. Raises: Posix(ENOTDIR, EACCES, ENOENT)."""

    async def children_slice(self, caller: Caller, target: Target, first: int, last: int) -> list[FileStat]:
        """Return the children at positions ``first`` to ``last``, both included, in name order."""

    async def list_recursive(
        self,
        caller: Caller,
        target: Target,
        *,
        limit: int,
        token: str | None = None,
        start_after: str | None = None,
        prefix: str | None = None,
        include_directories: bool = False,
    ) -> RecursivePage:
        """Return files below a directory in order of their relative paths; links are not followed.

        ``limit`` bounds items and inaccessible paths together. A file is its own sole item, at ``"."``.

        Raises: Posix(EINVAL) for a token of another directory; Posix(EACCES, ENOENT).
        """

    async def create_file(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make an empty regular file.

        Raises: Posix(EEXIST, ENOENT, ENOTDIR, EACCES, EINVAL, ENAMETOOLONG, EPERM for reserved names).
        """

    async def create_directory(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make a directory. Raises as ``create_file``."""

    async def create_symlink(self, caller: Caller, target: Target, options: CreateOptions) -> FileStat:
        """Make a symbolic link to ``options.symlink_target``, any text of 1 to 4096 bytes."""

    async def create_link(self, caller: Caller, target: Target, original: FileGuid) -> FileStat:
        """Hard links are not supported yet. Raises: Posix(ENOTSUP)."""

    async def open_content(
        self, caller: Caller, target: Target, follow: Follow = Follow.YES
    ) -> ContentReader:
        """Open a regular file for reading.

        Raises: Posix(EISDIR, ENOENT, EACCES, ELOOP); Posix(EINVAL) on a link that is not followed.
        """

    async def replace_content(
        self,
        caller: Caller,
        target: Target,
        body: ByteStream,
        *,
        expected_b: int | None,
        create: CreateOptions | None = None,
        metadata: MetadataChange | None = None,
    ) -> tuple[FileStat, bool]:
        """Replace the whole content, or with ``create`` make the file together with its content.

        Readers see the old or the new content, never a mixture. The SHA-256 is kept. The result tells
        whether the file was created. ``expected_b`` is the announced length, ``None`` when unknown.
        An existing file keeps its mode and owner (``create.existing`` REFUSE: Posix(EEXIST)).

        Raises: Posix(ENOSPC, EISDIR, EACCES, ENOENT...); StreamBroken when the body broke off.
        """

    async def write_content(
        self, caller: Caller, target: Target, offset_b: int, body: ByteStream, *, expected_b: int | None
    ) -> FileStat:
        """Write in place from ``offset_b``; a gap before it reads as zeros.

        When the body breaks off, size and blocks stay as they were (bytes already overwritten inside
        the file may be new).

        Raises: Posix(ENOSPC, EISDIR, EACCES, EFBIG, ENOENT...); StreamBroken.
        """

    async def truncate(self, caller: Caller, target: Target, size_b: int) -> FileStat:
        """Cut, or extend with zeros. Raises: Posix(EISDIR, EACCES, EINVAL, EFBIG)."""

    async def move(self, caller: Caller, source: Target, target: Target) -> tuple[FileStat, bool]:
        """Move or rename; an existing file is replaced, an empty directory by a directory.

        Atomic inside a space, also for directories of any size. Between spaces: copied, then removed.
        The result tells whether something was replaced.

        Raises: Posix(EINVAL) into itself; Posix(ENOTEMPTY, EISDIR, ENOTDIR, EACCES, EPERM for roots).
        """

    async def copy(
        self, caller: Caller, source: Target, target: Target, metadata: MetadataChange | None = None
    ) -> tuple[FileStat, bool]:
        """Copy content, modes and custom metadata; directories with all they hold, links as links.

        Each file appears whole. A directory copy that fails half-way leaves what was copied so far.
        ``metadata`` is applied to the top of the copy. The result tells whether something was replaced.

        Raises: as ``replace_content``; Posix(EEXIST) when a directory is in the way; Posix(EINVAL).
        """

    async def remove(self, caller: Caller, target: Target) -> None:
        """Remove a file, a link, or a directory with all it holds, in one step.

        Raises: Posix(EPERM) for roots; Posix(ENOENT, EACCES).
        """

    async def remove_empty(self, caller: Caller, target: Target) -> None:
        """Remove a file, a link or an empty directory. Raises: Posix(ENOTEMPTY), as ``remove``."""

    async def set_mode(self, caller: Caller, target: Target, mode: int) -> FileStat:
        """Set permission bits (0 to 0o1777). Raises: Posix(EACCES) unless owner; Posix(EPERM) for roots."""

    async def set_times(
        self, caller: Caller, target: Target, atime_s: float | None, mtime_s: float | None
    ) -> FileStat:
        """Set times, in seconds since the epoch; ``None`` keeps. Raises: Posix(EACCES)."""

    async def get_xattrs(
        self, caller: Caller, target: Target, *, inherited: bool = False, internal: bool = False
    ) -> dict[str, Json]:
        """Return extended attributes; ``inherited`` merges those of ancestors, the nearest wins.

        ``internal`` adds ``cdmi_*``, ``onedata_json`` and ``onedata_rdf``.
        """

    async def change_metadata(self, caller: Caller, target: Target, change: MetadataChange) -> None:
        """Change custom metadata. Raises: Posix(EPERM) for reserved names; Posix(EACCES, ENOENT)."""

    async def get_json(
        self, caller: Caller, target: Target, *, inherited: bool = False, filter: str | None = None
    ) -> Json:
        """Return the JSON document or the part at key path ``filter`` (``a.b.[2].c``).

        Raises: Posix(ENODATA) when there is none.
        """

    async def set_json(self, caller: Caller, target: Target, value: Json, filter: str | None = None) -> None:
        """Set the JSON document, or the part at ``filter``. Raises: Posix(ENODATA) through a scalar."""

    async def remove_json(self, caller: Caller, target: Target) -> None:
        """Remove the JSON document; fine when there is none."""

    async def get_rdf(self, caller: Caller, target: Target) -> bytes:
        """Return the RDF document, verbatim. Raises: Posix(ENODATA)."""

    async def set_rdf(self, caller: Caller, target: Target, value: bytes) -> None:
        """Store the RDF document verbatim."""

    async def remove_rdf(self, caller: Caller, target: Target) -> None:
        """Remove the RDF document; fine when there is none."""

    async def distribution(self, caller: Caller, target: Target) -> Mapping[str, Json]:
        """Return which provider and storage holds which blocks, in the form of the REST answer."""

    async def storage_locations(self, caller: Caller, target: Target) -> Mapping[str, Json]:
        """Return the path on each storage, in the form of the REST answer."""

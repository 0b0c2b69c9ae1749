"""The values that the file service takes and gives; doors speak in these and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Generic, Protocol, TypeVar

from attrs import field, frozen

from onedata.ids import FileGuid, FileUuid, ProviderId, UserId, nameless_uuid
from op_worker.files.acl import Acl
from op_worker.files.rules.retention import NO_CHANGE, ImmutabilityChange
from op_worker.files.rules.rules import NO_RULES, Rules, Wish

T = TypeVar("T")

Json = bool | int | float | str | None | Sequence["Json"] | Mapping[str, "Json"]
"""Any JSON value."""


class FileType(StrEnum):
    """What a file is; the value is its name on every door."""

    REG = "REG"
    DIR = "DIR"
    SYMLNK = "SYMLNK"


class Follow(Enum):
    """Whether a symbolic link at the end of a path stands for itself or for its target.

    Those in the middle are followed, but for ``NEVER``: then they are no directories.
    """

    NO = "no"
    YES = "yes"
    NEVER = "never"


class Now(Enum):
    """The mark of a time that is set to the present."""

    NOW = "now"


class Existing(Enum):
    """What creating does when the name is taken by a file of the same type."""

    REFUSE = "refuse"
    """Posix(EEXIST)."""
    UPDATE = "update"
    """The file stays and gets the mode asked for; a link is replaced."""


class Unset(Enum):
    """The mark of a value that stays as it is."""

    UNSET = "unset"


class Removed(Enum):
    """The mark of a value to be removed."""

    REMOVED = "removed"


UNSET = Unset.UNSET
REMOVED = Removed.REMOVED
NOW = Now.NOW


@frozen
class Target:
    """A file by its id, or by the names that lead to it from a directory with that id.

    ``uuid`` is the one that a file which is made there gets, when it was chosen before; nobody has it.
    """

    base: FileGuid
    names: tuple[str, ...] = ()
    uuid: FileUuid | None = None


@frozen(kw_only=True)
class FileStat:
    """Everything cheap to know of a file. Times in seconds since the epoch, sizes in bytes.

    ``path`` holds the names below the space root; ``parent`` is ``None`` for the user root. Of a
    directory ``size_b`` is 0; ``below_b`` is what its files have together, where that was asked for and is
    known. ``local_b`` counts the bytes this provider holds. ``checksum_sha256`` is
    known when the content was last written whole; ``content_generation`` names that whole content. ``acl``
    decides instead of ``mode`` when there is one; who may see it, ``FileService.acls`` tells. ``protection``
    are the effective flags, bits of ``Protection``. ``revisions``, of what is kept of the file and of its
    times, grow with every change. ``xattrs`` holds those of the extended attributes that a
    listing was asked for; it is empty when the caller may not read them. ``custom`` holds all that there
    are, internal ones and the ACL too, where they were asked for and may be read. ``shares`` are the ids of
    those that begin here. ``is_queue`` tells a queue, which is a directory, from other directories.
    ``rules`` are retention, holds and wishes, those of directories above included.
    """

    guid: FileGuid
    parent: FileGuid | None
    name: str
    path: tuple[str, ...]
    space_name: str
    type: FileType
    mode: int
    owner: UserId
    provider_id: ProviderId
    created_s: float
    atime_s: float
    mtime_s: float
    ctime_s: float
    size_b: int = 0
    below_b: int | None = None
    hardlinks: int = 1
    symlink_target: str | None = None
    content_version: int = 0
    content_generation: bytes = b""
    checksum_sha256: str | None = None
    has_metadata: bool = False
    local_b: int = 0
    display_uid: int = 0
    display_gid: int = 0
    shares: tuple[str, ...] = ()
    acl: Acl | None = None
    protection: int = 0
    rules: Rules = NO_RULES
    revisions: tuple[int, int] = (0, 0)
    is_queue: bool = False
    xattrs: Mapping[str, Json] = field(factory=dict)
    custom: Mapping[str, Json] | None = None

    @property
    def is_nameless(self) -> bool:
        """Whether the file has no name, only its id."""
        return self.parent is not None and self.parent.uuid == nameless_uuid(self.guid.space_id)

    @property
    def is_directory(self) -> bool:
        return self.type is FileType.DIR

    @property
    def content_tag(self) -> str:
        """A name of the present content: another after every change of it, the same at every node."""
        return f"{self.content_generation.hex() or self.guid.uuid}-{self.content_version:x}"

    @property
    def state_tag(self) -> str:
        """A name of the present content and attributes: another after every change of any of them."""
        return f"{self.content_tag}-{self.revisions[0]:x}-{self.revisions[1]:x}"


@frozen
class Shown:
    """What a listing tells of each file besides its id and its name.

    ``xattrs`` names extended attributes that come along; those of a file whose metadata the caller may
    not read are left out.
    """

    attributes: bool = True
    xattrs: frozenset[str] = frozenset()


NAMES = Shown(attributes=False)
ATTRIBUTES = Shown()


@frozen
class Page(Generic[T]):
    """A part of a listing. Judge its end by ``is_last`` alone; a page may hold fewer items than asked."""

    items: Sequence[T]
    next_token: str | None
    is_last: bool


@frozen
class RecursivePage:
    """A part of a recursive listing: files with their paths below the listed directory.

    ``inaccessible`` names directories that the caller may not list. ``next_token`` is ``None`` at the end.
    """

    items: Sequence[tuple[str, FileStat]]
    inaccessible: Sequence[str]
    next_token: str | None


@frozen(kw_only=True)
class CreateOptions:
    """How to create. ``mode`` is ``None`` for the default of the type (664 files, 775 directories).

    With ``create_parents`` missing directories on the way are made, with ``mode`` when it is given. Without
    ``acl`` the new file gets the list of the file that it is a copy of (``copied_acl``), or else what its
    directory's list hands on.
    """

    mode: int | None = None
    create_parents: bool = False
    existing: Existing = Existing.REFUSE
    symlink_target: str | None = None
    acl: Acl | None = None
    copied_acl: Acl | None = None


@frozen(kw_only=True)
class MetadataChange:
    """A change of custom metadata and of the access control list, made in one commit.

    ``replace_user_xattrs`` drops every extended attribute without a reserved prefix, then
    ``remove_xattrs`` are removed, then ``set_xattrs`` are set. ``json``, ``rdf`` and ``acl`` are replaced,
    removed (``REMOVED``) or kept (``UNSET``). ``wishes`` are set, or removed (``None``), by their names.
    """

    set_xattrs: Mapping[str, Json] = field(factory=dict)
    remove_xattrs: Collection[str] = ()
    replace_user_xattrs: Mapping[str, Json] | None = None
    json: Json | Unset | Removed = UNSET
    rdf: bytes | Unset | Removed = UNSET
    acl: Acl | Unset | Removed = UNSET
    immutability: ImmutabilityChange = NO_CHANGE
    wishes: Mapping[str, Wish | None] = field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self.acl is UNSET and not self.changes_rules and not self.changes_custom

    @property
    def changes_rules(self) -> bool:
        """Whether retention, holds or wishes are to change."""
        return bool(self.wishes) or not self.immutability.is_empty

    @property
    def changes_custom(self) -> bool:
        """Whether custom metadata are to change."""
        return not (
            not self.set_xattrs
            and not self.remove_xattrs
            and self.replace_user_xattrs is None
            and self.json is UNSET
            and self.rdf is UNSET
        )


class ContentReader(Protocol):
    """An open file, as it was when it was opened. Close it."""

    @property
    def stat(self) -> FileStat:
        """The file that is read (the target of a symbolic link that was followed)."""

    async def read(self, offset_b: int, size_b: int) -> bytes:
        """Return up to ``size_b`` (at most 1 MiB) bytes; holes are zeros; short only at the end.

        Raises: Posix(EIO); ServiceUnavailable when the storage is away.
        """

    async def close(self) -> None:
        """Give the storage handle back. Idempotent."""

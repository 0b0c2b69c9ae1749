"""From CDMI addresses to files: targets, kinds, redirects between the slash forms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from attrs import evolve, field, frozen

from onedata.errors import (
    BadData,
    BadValueIdentifier,
    Errno,
    NotFound,
    NotSupported,
    OnedataError,
    Posix,
    Unauthorized,
)
from onedata.ids import FileGuid, InvalidFileId, user_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, FileType, Json, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.refusals import Redirected, Referred, Refused
from op_worker.http.cdmi.representations.data_system_items import (
    HASH,
    data_system_items,
    hash_text,
    is_hashed,
)
from op_worker.http.cdmi.representations.metadata import ACL
from op_worker.http.cdmi.representations.permitted import Readable
from op_worker.http.cdmi.representations.representation import kind_of, reference_of, shown_path
from op_worker.http.cdmi.requests.addresses import (
    Address,
    Branch,
    is_url,
    path_text,
    source_addresses,
    split_query,
)
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, parse_query

_NOT_THERE = frozenset({Errno.ENOENT, Errno.ENOTDIR})


class OtherKind(Exception):
    """What is at an address is neither a container nor a data object: the handler of its kind answers."""

    def __init__(self, kind: Kind, stat: FileStat) -> None:
        super().__init__(kind, stat)
        self.kind, self.stat = kind, stat


@frozen
class Source:
    """What a request takes something from, and the query in its URI."""

    stat: FileStat
    query: Query = field(factory=Query)


class Locator:
    """Finds what addresses mean for a caller."""

    def __init__(self, files: FileService) -> None:
        self._files = files

    async def target(self, caller: Caller, address: Address) -> Target:
        """Return where a file with this address is, or would be.

        Raises:
            BadValueIdentifier: an object id that is none (key ``file_id``).
            NotSupported, NotFound: a part of the tree that is not served, for writes and for reads.
            Posix: no such space.
        """
        if address.branch is Branch.OBJECT_ID:
            return Target(_guid(address.object_id or ""), address.names)
        if address.branch is not Branch.NAMESPACE:
            raise NotFound
        if caller.user_id is None:
            raise Unauthorized
        if not address.names:
            return Target(user_root_guid(caller.user_id))
        space, *names = address.names
        return Target(await self._files.find_space(caller, space), tuple(names))

    async def existing(self, caller: Caller, address: Address, target: Target) -> FileStat:
        """Return what is there, which is of the kind that the address has the form of.

        Raises:
            OtherKind, Redirected, Referred: as ``check_form`` and ``require_resource``.
            Posix: it is not there; links count as such.
        """
        stat = await self._files.stat(caller, target, custom=True)
        require_resource(stat, Posix(Errno.ENOENT, "symbolic links are not shown in CDMI"))
        check_form(stat, address)
        return stat

    async def present(self, caller: Caller, address: Address, target: Target) -> FileStat | None:
        """Return what a write meets, or ``None`` when nothing is there yet.

        Raises:
            OtherKind, Redirected, Referred: as ``check_form`` and ``require_resource``.
            Posix: EEXIST when the name is taken by a symbolic link.
        """
        stat = await self.anything(caller, target)
        if stat is not None:
            check_form(stat, address)
        return stat

    async def anything(self, caller: Caller, target: Target) -> FileStat | None:
        """Return what is at a target, whatever its kind; ``None`` when nothing is.

        Raises:
            Referred: a reference.
            Posix: EEXIST when the name is taken by another symbolic link.
        """
        try:
            stat = await self._files.stat(caller, target)
        except Posix as error:
            if error.errno is Errno.ENOENT and target.names:
                return None
            raise
        require_resource(stat, Posix(Errno.EEXIST, "the name is taken by a symbolic link"))
        return stat

    async def source(self, caller: Caller, uri: str, host: str) -> Source:
        """Return what a member of a body speaks of; a name with a question mark is found first.

        Args:
            host: the ``Host`` of the request.

        Raises:
            Refused: 400, when it is missing.
            BadData: it is a reference, which is followed by clients only (key ``path``); as
                ``source_addresses`` and ``parse_query``.
            NotSupported: it is on another server.
        """
        try:
            return await self._source(caller, uri, host)
        except OnedataError as error:
            if error.http_status == 404 or (isinstance(error, Posix) and error.errno is Errno.ENOENT):
                raise Refused(400, Posix(Errno.ENOENT, "the source does not exist")) from None
            raise

    async def whole_source(self, caller: Caller, uri: str, host: str) -> FileStat:
        """Return what a member speaks of that means all of a resource.

        Raises: as ``source``; BadData when the URI asks for a part of it (key ``path``).
        """
        source = await self.source(caller, uri, host)
        if source.query.fields is not None:
            raise BadData("path", "resources are serialised and read as wholes")
        return source.stat

    async def _source(self, caller: Caller, uri: str, host: str) -> Source:
        asked = split_query(uri)
        if asked is None:
            return Source(await self._first(caller, source_addresses(uri, host)))
        path, query = asked
        if not is_url(uri):
            try:
                return Source(await self._first(caller, source_addresses(uri, host)))
            except Posix as error:
                if error.errno is not Errno.ENOENT:
                    raise
        return Source(await self._first(caller, source_addresses(path, host)), parse_query(query))

    async def _first(self, caller: Caller, candidates: tuple[Address, ...]) -> FileStat:
        """Return the first of the candidates that exists."""
        for address in candidates:
            try:
                target = await self.target(caller, address)
                stat = await self._files.stat(caller, target)
            except Posix as error:
                if error.errno not in _NOT_THERE:
                    raise
            else:
                if reference_of(stat) is not None:
                    raise BadData("path", "the source is a reference")
                if stat.type is not FileType.SYMLNK:
                    return stat
        raise Posix(Errno.ENOENT, "the source does not exist")

    async def xattrs(self, caller: Caller, stat: FileStat) -> dict[str, Json]:
        """Return all extended attributes of a file as ``stat`` saw it, internal ones and the ACL too.

        Data system metadata are among them, as ``shown_items`` wants them.
        """
        if stat.custom is not None:
            return {**stat.custom, **self._data_system_items(stat)}
        if stat.has_metadata:
            return await self.changed_xattrs(caller, stat)
        shown = await self._files.acls.shown_as_xattr(caller, stat)
        return {**shown, **self._data_system_items(stat)}

    async def stored(self, caller: Caller, stat: FileStat) -> Mapping[str, Json]:
        """Return the stored attributes that the caller may read: what a plain answer needs, and no more."""
        if stat.custom is not None:
            return stat.custom
        return (await self.readable(caller, stat)).xattrs if stat.has_metadata else {}

    async def readable(self, caller: Caller, stat: FileStat) -> Readable:
        """Return the extended attributes that the caller may read, internal ones and the ACL too."""
        if stat.custom is not None:
            return Readable({**stat.custom, **self._data_system_items(stat)})
        if not stat.has_metadata and stat.acl is None:
            return Readable(self._data_system_items(stat))
        target = Target(stat.guid)
        xattrs, shows_metadata, rules = await self._files.metadata.readable(caller, target)
        return Readable({**xattrs, **self._data_system_items(evolve(stat, rules=rules))}, shows_metadata)

    async def wanted(
        self, caller: Caller, stat: FileStat, query: Query, members: tuple[str, ...]
    ) -> Readable:
        """Return the attributes that a reading needs, as far as the caller may read them.

        Args:
            members: those that are made from attributes.

        Raises:
            Posix: EACCES when metadata alone are asked for and may not be read.
        """
        if not any(map(query.wants, members)):
            return Readable({})
        is_alone = query.fields == frozenset({"metadata"})
        if is_alone and query.metadata == (ACL,):
            return Readable(await self._files.acls.as_xattr(caller, Target(stat.guid)))
        readable = await self.readable(caller, stat)
        if is_alone and not readable.shows_metadata and ACL not in readable.xattrs:
            return Readable(await self.changed_xattrs(caller, stat))
        if HASH in query.metadata and HASH not in readable.xattrs and is_hashed(stat):
            sha256 = await self._files.checksums.of(caller, stat)
            return evolve(readable, xattrs={**readable.xattrs, HASH: hash_text(sha256)})
        return readable

    async def changed_xattrs(self, caller: Caller, stat: FileStat) -> dict[str, Json]:
        """Return all extended attributes of a file that may have got some since ``stat`` was made."""
        xattrs = await self._files.metadata.xattrs(caller, Target(stat.guid), internal=True)
        return {**xattrs, **self._data_system_items(stat)}

    def _data_system_items(self, stat: FileStat) -> dict[str, Json]:
        return data_system_items(stat, self._files.context.offer)


def require_resource(stat: FileStat, otherwise: Posix) -> None:
    """Return when this is a resource of CDMI.

    Raises:
        Referred: a reference.
        Posix: ``otherwise``, for other symbolic links.
    """
    uri = reference_of(stat)
    if uri is not None:
        raise Referred(uri, stat.guid)
    if stat.type is FileType.SYMLNK:
        raise otherwise


def check_form(stat: FileStat, address: Address) -> None:
    """Return when an address has the form of what is there: with a slash for containers.

    Raises:
        OtherKind: a resource of a kind that has a handler of its own.
        Redirected: the slash is missing, or is one too many.
    """
    kind = kind_of(stat)
    if kind not in (Kind.OBJECT, Kind.CONTAINER, None):
        raise OtherKind(kind, stat)
    is_directory = kind is Kind.CONTAINER
    if is_directory is address.is_container:
        return
    names = address.names if address.branch is Branch.NAMESPACE else shown_path(stat)
    raise Redirected(path_text(names) + ("/" if is_directory else ""))


def refuse_unserved(address: Address) -> None:
    """Raise NotSupported for a write into a part of the tree that is not served."""
    if address.branch is Branch.RESERVED:
        raise NotSupported


@lru_cache(maxsize=1024)
def _guid(object_id: str) -> FileGuid:
    """Return the file with an object id, whose length and checksum must be right.

    Raises:
        BadValueIdentifier: it is none (key ``file_id``).
    """
    try:
        guid = FileGuid.from_object_id(object_id)
    except InvalidFileId:
        raise BadValueIdentifier("file_id") from None
    if guid.object_id() != object_id.upper():
        raise BadValueIdentifier("file_id")
    return guid

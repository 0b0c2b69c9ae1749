"""The ``http`` helper: files on any web server, read only."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus

from attrs import evolve, frozen

from op_worker.storage.helper import (
    Opened,
    StorageError,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.helpers.paths import parts
from op_worker.storage.helpers.web.answers import Version, failure, length, seconds, version
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.helpers.web.credentials import (
    ARGUMENTS,
    CREDENTIALS,
    authorization,
    authorization_of,
)
from op_worker.storage.helpers.web.ranges import read_range
from op_worker.storage.helpers.web.session import Session
from op_worker.storage.helpers.web.urls import Endpoint
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import HelperSurroundings, Kind, Parameter, Parameters, StorageType


@frozen(kw_only=True)
class HttpSettings:
    """What every file is said to have, and who asks."""

    file_mode: int = 0o664
    authorization_template: str = "Authorization: Bearer {}"
    credentials: Mapping[str, str]


class HttpHelper:
    """See ``StorageHelper``; one user's view of a server. Everything that would change a file is EROFS."""

    def __init__(self, session: Session, settings: HttpSettings) -> None:
        self._session, self._settings = session, settings

    async def open_read(self, path: StoragePath) -> StorageFile:
        found = await self._look(path)
        return self._opened(path, found)

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        parts(path)
        if size_b <= 0:
            found = await self._look(path)
            return Opened(found.size_b, b"", self._opened(path, found) if found.size_b else None)
        part = await read_range(self._session, path, 0, size_b)
        found = part.version or await self._look(path)
        is_whole = found.size_b <= len(part.data)
        return Opened(found.size_b, part.data, None if is_whole else self._opened(path, found))

    async def open_write(self, path: StoragePath) -> StorageFile:
        raise _read_only(path)

    async def open_update(self, path: StoragePath) -> StorageFile:
        await self._look(path)
        raise _read_only(path)

    async def remove(self, path: StoragePath) -> None:
        raise _read_only(path)

    async def stat(self, path: StoragePath) -> StorageStat:
        found = await self._look(path)
        modified_s, mode = seconds(found.modified), self._settings.file_mode
        return StorageStat(found.size_b, modified_s, mode=mode, tag=found.tag)

    async def check(self) -> None:
        """See ``StorageHelper``; any answer below 500 tells that the server is there."""
        url = self._session.endpoint.url(StoragePath(""))
        head = await self._session.ask("OPTIONS", url, "")
        if head.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
            raise failure(head, "")
        if head.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise StorageUnavailable(errno.EIO, "", f"the server says {head.status} {head.phrase}")

    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        """See ``SupportsUsers``. Raises: BadStorageError."""
        given = {**self._settings.credentials, **credentials}
        now_s = self._session.clock.seconds()
        asker = authorization(given, self._settings.authorization_template, now_s)
        return HttpHelper(self._session.as_user(asker), evolve(self._settings, credentials=given))

    async def close(self) -> None:
        """See ``SupportsClosing``; connections that are in use go when they are idle."""
        await self._session.connections.close()

    def _opened(self, path: StoragePath, found: Version) -> HttpFile:
        return HttpFile(self._session, path, found)

    async def _look(self, path: StoragePath) -> Version:
        """Return what the server says of a file. Raises: StorageError(ENOENT, EIO)."""
        parts(path)
        head = await self._session.ask(
            "HEAD", self._session.endpoint.url(path), path, {"Accept-Encoding": "identity"}
        )
        if head.status != HTTPStatus.OK:
            raise failure(head, path)
        size_b = length(head)
        if size_b is None:
            raise StorageError(errno.EIO, path, "the server does not tell the size of the file")
        return version(head, size_b)


class HttpFile:
    """A file of a web server, as it was when it was opened: what is another now is ESTALE."""

    def __init__(self, session: Session, path: StoragePath, found: Version) -> None:
        self._session, self._path, self._version = session, path, found
        self._is_closed = False

    async def read(self, offset_b: int, size_b: int) -> bytes:
        self._require_open()
        if size_b <= 0 or offset_b >= self._version.size_b:
            return b""
        try:
            part = await read_range(self._session, self._path, offset_b, size_b)
        except StorageError as error:
            if error.errno == errno.ENOENT:
                raise self._stale() from error
            raise
        if part.version is None or not part.version.is_same(self._version):
            raise self._stale()
        return part.data

    async def write(self, offset_b: int, data: bytes) -> None:
        raise _read_only(self._path)

    async def size(self) -> int:
        self._require_open()
        return self._version.size_b

    async def truncate(self, size_b: int) -> None:
        raise _read_only(self._path)

    async def sync(self) -> None:
        self._require_open()

    async def close(self) -> None:
        self._is_closed = True

    def _require_open(self) -> None:
        if self._is_closed:
            raise StorageError(errno.EBADF, self._path, "the file is closed")

    def _stale(self) -> StorageError:
        return StorageError(errno.ESTALE, self._path, "the file is another now, or gone")


def _read_only(path: StoragePath) -> StorageError:
    parts(path)
    return StorageError(errno.EROFS, path, "a web server is read only")


def _made(parameters: Parameters, surroundings: HelperSurroundings) -> HttpHelper:
    reactor = surroundings.reactor
    connections = Connections(
        reactor,
        parameters.integer("connectionPoolSize"),
        verifies=parameters.boolean("verifyServerCertificate"),
        most_requests=parameters.integer("maxRequestsPerSession"),
    )
    session = Session(
        Endpoint.parse(parameters.text("endpoint")),
        connections,
        reactor,
        timeout_s(parameters),
        authorization_of(parameters, reactor.seconds()),
    )
    settings = HttpSettings(
        file_mode=int(parameters.text("fileMode"), 8),
        authorization_template=parameters.text("authorizationHeader"),
        credentials=parameters.credentials,
    )
    return HttpHelper(session, settings)


HTTP = StorageType(
    name="http",
    arguments=[*ARGUMENTS, Parameter(name="maxRequestsPerSession", kind=Kind.INTEGER, default="0")],
    credentials=CREDENTIALS,
    make=_made,
    is_writable=False,
)

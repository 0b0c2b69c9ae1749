"""An account of Swift: logged in at first use, and again whenever its token is not taken any more."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from attrs import evolve
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.swift.identity import (
    SwiftAccess,
    SwiftUser,
    is_v3,
    v1_access,
    v1_headers,
    v3_access,
    v3_request,
    v3_root,
    v3_url,
)
from op_worker.storage.helpers.web.answers import Head
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.helpers.web.credentials import Authorization
from op_worker.storage.helpers.web.session import Answer, Session
from op_worker.storage.helpers.web.urls import Endpoint

_LOGGING_IN = "logging in"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class SwiftAccount:
    """Asks an account, and logs in for that as often as needed, once for all who wait.

    Args:
        auth_url: where one logs in. A path that ends in ``/v3`` is of Keystone; another is tried by version
            1, and where a list of versions is answered, by the version 3 in it.
        timeout_s: so long may a server be silent.
    """

    def __init__(
        self,
        auth_url: str,
        user: SwiftUser,
        connections: Connections,
        clock: IReactorTime,
        timeout_s: float,
    ) -> None:
        self._auth_url, self._user, self._connections = auth_url, user, connections
        self._door = Session(Endpoint.parse(auth_url), connections, clock, timeout_s)
        self._locks = KeyedLocks()
        self._access: SwiftAccess | None = None

    @asynccontextmanager
    async def asking(
        self,
        method: str,
        tail: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[Answer]:
        """Ask the account; ``tail`` follows its URL, encoded. A token that is not taken is renewed once.

        Raises: StorageError(EACCES) when one cannot log in; StorageUnavailable.
        """
        access = await self._logged_in()
        async with self._session(access).asking(method, access.url + tail, path, headers, body) as answer:
            if answer.head.status != HTTPStatus.UNAUTHORIZED:
                yield answer
                return
        if self._access is access:
            self._access = None
        access = await self._logged_in()
        async with self._session(access).asking(method, access.url + tail, path, headers, body) as answer:
            yield answer

    async def cluster(self) -> bytes:
        """Return what the cluster tells of what it can do, in JSON; nothing when it tells nothing."""
        access = await self._logged_in()
        session = self._session(access)
        async with session.asking("GET", f"{session.endpoint.origin}/info", "") as answer:
            return await answer.content() if answer.head.is_success else b""

    async def close(self) -> None:
        """Let connections go. Idempotent."""
        await self._connections.close()

    def _session(self, access: SwiftAccess) -> Session:
        return evolve(
            self._door,
            endpoint=Endpoint.parse(access.url),
            authorization=Authorization("X-Auth-Token", access.token),
        )

    async def _logged_in(self) -> SwiftAccess:
        if self._access is None:
            async with self._locks.hold(_LOGGING_IN):
                if self._access is None:
                    self._access = await self._log_in()
        return self._access

    async def _log_in(self) -> SwiftAccess:
        if is_v3(self._auth_url):
            return await self._log_in_v3(self._auth_url)
        async with self._door.asking("GET", self._auth_url, "", v1_headers(self._user)) as answer:
            access = v1_access(answer.head)
            if access is not None:
                return access
            root = v3_root(await answer.content())
        if root is None:
            raise self._refused(answer.head)
        return await self._log_in_v3(root)

    async def _log_in_v3(self, root: str) -> SwiftAccess:
        body = v3_request(self._user)
        async with self._door.asking("POST", v3_url(root), "", _JSON, body) as answer:
            if not answer.head.is_success:
                raise self._refused(answer.head)
            return v3_access(answer.head, await answer.content())

    def _refused(self, head: Head) -> StorageError:
        words = f"logging in at {self._auth_url}: the server says {head.status} {head.phrase}".rstrip()
        if head.status in _REFUSED:
            return StorageError(errno.EACCES, "", words)
        return StorageUnavailable(errno.EIO, "", words)

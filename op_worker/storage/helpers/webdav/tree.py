"""The names on a WebDAV server: looking, listing, making, moving and deleting them."""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus

from attrs import frozen

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.paths import parent
from op_worker.storage.helpers.web.answers import Head, failure
from op_worker.storage.helpers.web.session import Session
from op_worker.storage.helpers.webdav.multistatus import ASKED, QUOTA_ASKED, Multistatus, Resource

_NOWHERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT})
"""Answers for paths that lead nowhere; Apache calls one that leads through a file a bad request."""
_ROOT = StoragePath("")
_PAGE_B = 64 * 1024
_PARENT_MISSING = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST})


@frozen(eq=False)
class Tree:
    """The resources below a storage's root, one request or a few for each method. It knows no open files."""

    session: Session

    async def look(self, path: StoragePath) -> Resource | None:
        """Return what is at a path; ``None`` when there is nothing."""
        found = [each async for resources in self._listed(path, "0") for each in resources]
        return found[0] if found else None

    async def quota(self) -> Resource | None:
        """Return the root with how full it is, as far as the server tells."""
        found = [each async for resources in self._listed(_ROOT, "0", QUOTA_ASKED) for each in resources]
        return found[0] if found else None

    async def find(self, path: StoragePath) -> Resource:
        """Return what is at a path. Raises: as ``missing`` says."""
        found = await self.look(path)
        if found is None:
            raise await self.missing(path)
        return found

    async def missing(self, path: StoragePath) -> StorageError:
        """Return the error for a path where nothing is.

        It is ENOTDIR when a file is on the way, and StorageUnavailable when the root of the storage is
        missing, because then nothing is known of the path.
        """
        above = path
        while above:
            above = parent(above)
            found = await self.look(above)
            if found is not None:
                return StorageError(errno.ENOENT if found.is_directory else errno.ENOTDIR, path)
        return StorageUnavailable(errno.EIO, path, "the root of the storage is missing")

    async def children(
        self, path: StoragePath
    ) -> AsyncGenerator[Sequence[tuple[StoragePath, Resource]], None]:
        """Give what is in a directory, as it comes. Raises: StorageError(ENOENT, ENOTDIR)."""
        is_there = False
        async with aclosing(self._listed(path, "1")) as listed:
            async for resources in listed:
                batch: list[tuple[StoragePath, Resource]] = []
                for resource in resources:
                    where = self.session.endpoint.path_of(resource.href)
                    if where == path:
                        is_there = True
                        if not resource.is_directory:
                            raise StorageError(errno.ENOTDIR, path)
                    elif where is not None and parent(where) == path:
                        batch.append((where, resource))
                if batch:
                    yield batch
        if not is_there:
            raise StorageError(errno.ENOTDIR, path) if await self.look(path) else await self.missing(path)

    async def is_empty(self, path: StoragePath) -> bool:
        """Whether a directory has nothing in it. Raises: StorageError(ENOENT, ENOTDIR)."""
        async with aclosing(self.children(path)) as children:
            async for _ in children:
                return False
        return True

    async def make_directory(self, path: StoragePath) -> None:
        """Make a directory and those above it. Raises: StorageError(ENOTDIR)."""
        head = await self._make_one(path)
        if head.status in _PARENT_MISSING and parent(path):
            await self.make_directory(parent(path))
            head = await self._make_one(path)
        if head.is_success:
            return
        found = await self.look(path)  # servers have several answers for what is there already
        if found is None:
            raise await self.missing(path) if head.status in _PARENT_MISSING else failure(head, path)
        if not found.is_directory:
            raise StorageError(errno.ENOTDIR, path)

    async def make_parents(self, path: StoragePath) -> None:
        """Make the directories above a path. Raises: StorageError(ENOTDIR)."""
        above = parent(path)
        if above:
            await self.make_directory(above)
        elif await self.look(above) is None:
            raise await self.missing(path)

    async def put(self, path: StoragePath, data: bytes, headers: Mapping[str, str]) -> Head:
        """Write a whole file, and return the answer; parents are made when the server misses them."""
        url = self.session.endpoint.url(path)
        head = await self.session.ask("PUT", url, path, headers, data)
        if head.status in _PARENT_MISSING:
            await self.make_parents(path)
            head = await self.session.ask("PUT", url, path, headers, data)
        return head

    async def move(
        self, source: StoragePath, target: StoragePath, *, is_directory: bool = False, replaces: bool = False
    ) -> Head:
        """Move a file, or a directory with all below it, and return the answer."""
        url = self.session.endpoint.url
        headers = {
            "Destination": url(target, is_directory=is_directory),
            "Overwrite": "T" if replaces else "F",
        }
        return await self.session.ask("MOVE", url(source, is_directory=is_directory), source, headers)

    async def delete(self, path: StoragePath, condition: str = "", *, is_directory: bool = False) -> Head:
        """Delete a file, or a directory with all below it, and return the answer.

        ``condition`` is the tag that it must have, if any.
        """
        url = self.session.endpoint.url(path, is_directory=is_directory)
        return await self.session.ask("DELETE", url, path, {"If-Match": condition} if condition else {})

    async def _make_one(self, path: StoragePath) -> Head:
        return await self.session.ask("MKCOL", self.session.endpoint.url(path, is_directory=True), path)

    async def _listed(
        self, path: StoragePath, depth: str, asked: bytes = ASKED
    ) -> AsyncGenerator[Sequence[Resource], None]:
        """Give what the server lists at a path, as it comes; nothing when there is nothing."""
        url = self.session.endpoint.url(path, is_directory=depth == "1")
        headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        async with self.session.asking("PROPFIND", url, path, headers, asked) as answer:
            if answer.head.status in _NOWHERE:
                await answer.body.skip(_PAGE_B)
                return
            if answer.head.status != HTTPStatus.MULTI_STATUS:
                raise _not_listed(answer.head, path)
            reader = Multistatus()
            while piece := await answer.body.read():
                yield reader.feed(piece)
            reader.end()


def _not_listed(head: Head, path: StoragePath) -> StorageError:
    if head.is_success or head.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return StorageError(errno.ENOTSUP, path, "there is no WebDAV at the endpoint")
    return failure(head, path)

"""Under which conditions a server puts objects, learnt from what it answers."""

from __future__ import annotations

import errno
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from op_worker.storage.helper import StorageError
from op_worker.storage.objects.access import or_missing
from op_worker.storage.objects.store import ObjectKey, ObjectStat

Put = Callable[[ObjectKey, bytes, Mapping[str, str]], Coroutine[Any, Any, str]]
"""Puts an object with more headers, and returns its tag."""
Stat = Callable[[ObjectKey], Coroutine[Any, Any, ObjectStat]]


_REFUSED = frozenset({errno.ENOENT, errno.ECANCELED})
"""The object was removed, or another was put at the same moment."""


class ConditionalPuts:
    """Puts objects under a condition.

    Some servers know no conditions of what is put, or only that there is nothing yet (501). Ceph's gateway,
    up to release 17 at least, knows them, but compares a tag with the quotes that HTTP wants around it as if
    they were a part of it; so a refusal is looked into until a condition has held once.
    """

    def __init__(self, put: Put, stat: Stat) -> None:
        self._put, self._stat = put, stat
        self._unknown: set[str] = set()
        self._is_quoted, self._is_sure = True, False

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        """See ``SupportsConditionalPuts``."""
        if not tag:
            return await self._tried(key, data, "If-None-Match", "*")
        for _ in range(2):
            is_quoted = self._is_quoted
            try:
                made = await self._tried(key, data, "If-Match", f'"{tag}"' if is_quoted else tag)
            except StorageError as error:
                if error.errno != errno.ESTALE or self._is_sure or not await self._has(key, tag):
                    raise
                if self._is_quoted == is_quoted:
                    self._is_quoted = not is_quoted
            else:
                self._is_sure = self._is_quoted == is_quoted
                return made
        raise StorageError(errno.ESTALE, key, "the server refuses the condition of what is put")

    async def _has(self, key: ObjectKey, tag: str) -> bool:
        found = await or_missing(self._stat(key))
        return found is not None and found.tag == tag

    async def _tried(self, key: ObjectKey, data: bytes, name: str, value: str) -> str:
        if name in self._unknown:
            raise StorageError(errno.ENOTSUP, key, f"the server puts nothing under the condition {name}")
        try:
            return await self._put(key, data, {name: value})
        except StorageError as error:
            if error.errno == errno.ENOTSUP:
                self._unknown.add(name)
            if error.errno in _REFUSED:
                raise StorageError(errno.ESTALE, key, str(error)) from error
            raise

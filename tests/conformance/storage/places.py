"""Empty places of enrolled storages, each for one test."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageError, StoragePath
from tests.conformance.storage.enrolment import Enrolled

PIECE_B = 1 << 20


class Servers:
    """The servers that enrolled helpers need, each started at most once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._by_start: dict[Any, Any] = {}
        self._missing: dict[Any, str] = {}

    def of(self, enrolled: Enrolled) -> Any:
        """Return the server; skip the test where it cannot run, and fail it in CI."""
        start = enrolled.server
        if start not in self._by_start and start not in self._missing:
            self._start(enrolled)
        if start in self._missing:
            reason = f"the server of {enrolled.name} cannot run: {self._missing[start]}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        return self._by_start[start]

    def close(self) -> None:
        """End them all."""
        self._running.close()

    def _start(self, enrolled: Enrolled) -> None:
        folder = self._folder / f"server-{len(self._by_start) + len(self._missing)}"
        folder.mkdir()
        try:
            self._by_start[enrolled.server] = self._running.enter_context(enrolled.server(folder))
        except pytest.skip.Exception as skipped:
            self._missing[enrolled.server] = str(skipped)


@define
class Place:
    """An empty place of a storage, and the helper that reaches it."""

    enrolled: Enrolled
    server: Any
    name: str
    helper: Any = field(repr=False)
    """A ``StorageHelper``; ``needs`` says whether it has a power, so its verbs are called without asking."""

    async def put(self, path: str, data: bytes) -> None:
        """Write at the beginning of a file, which is made when missing."""
        if "writing" in self.enrolled.lacks:
            assert self.enrolled.puts is not None, f"{self.enrolled.name} has to enrol with puts"
            self.enrolled.puts(self.server, self.name, StoragePath(path), data)
            return
        file = await self.helper.open_write(StoragePath(path))
        try:
            await file.write(0, data)
        finally:
            await file.close()

    async def get(self, path: str) -> bytes:
        """Read a whole file."""
        file = await self.helper.open_read(StoragePath(path))
        try:
            pieces, offset_b = [], 0
            while piece := await file.read(offset_b, PIECE_B):
                pieces.append(piece)
                offset_b += len(piece)
            return b"".join(pieces)
        finally:
            await file.close()

    def read_back(self, path: str) -> bytes:
        """Read a whole file by the storage's own client."""
        assert self.enrolled.reads_back is not None
        return self.enrolled.reads_back(self.server, self.name, StoragePath(path))


async def refusal(work: Coroutine[Any, Any, object]) -> int:
    """Return the errno that work is refused with."""
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value.errno


async def given_up(work: Coroutine[Any, Any, Any], after_s: float) -> None:
    """Begin work and cancel it a little later, unless it is over by then."""
    running = Deferred.fromCoroutine(work)
    await pause(after_s)
    running.cancel()
    try:
        await running
    except CancelledError:
        pass


async def pause(duration_s: float) -> None:
    """Let the reactor turn for a while."""
    await deferLater(reactor, duration_s)

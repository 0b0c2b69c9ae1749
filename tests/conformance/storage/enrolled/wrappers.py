"""Wrappers around helpers that need no server."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from op_worker.storage.helper import StorageHelper, StoragePath, StorageUnavailable
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.wrappers.buffered import BufferedHelper
from op_worker.storage.wrappers.buffering import BufferLimits
from op_worker.storage.wrappers.faulty import Fault, FaultyHelper
from op_worker.storage.wrappers.guarded import ONCE_ONLY, Guard, GuardedHelper, RetryTiming
from op_worker.storage.wrappers.measured import MeasuredHelper, StorageTally
from op_worker.storage.wrappers.prefix import PrefixHelper, SpaceRootHelper
from op_worker.storage.wrappers.readonly import ReadonlyHelper
from op_worker.storage.wrappers.wrapping import wrapped
from tests.conformance.storage.enrolled.local import (
    MEMORY_POWERS,
    POSIX_LACKS,
    POSIX_POWERS,
    folder_of,
    posix,
    posix_on_threads,
    read_from_folder,
)
from tests.conformance.storage.enrolment import Enrolled, no_server

CLOCK: Any = reactor
SMALL = BufferLimits(
    read_least_b=10_000,
    read_most_b=50_000,
    write_least_b=20_000,
    write_most_b=60_000,
    most_b=100_000,
    idle_s=0.02,
)
PREFIX = StoragePath("somewhere/below")

Wrap = Callable[[StorageHelper], StorageHelper]


def guarded(helper: StorageHelper) -> StorageHelper:
    return wrapped(GuardedHelper, helper, Guard(CLOCK, 30.0, StorageTally()))


def measured(helper: StorageHelper) -> StorageHelper:
    return wrapped(MeasuredHelper, helper, StorageTally())


def buffered(helper: StorageHelper) -> StorageHelper:
    return wrapped(BufferedHelper, helper, CLOCK, SMALL)


def prefixed(helper: Any) -> StorageHelper:
    Deferred.fromCoroutine(helper.make_directory(PREFIX))  # helpers without threads have done it at once
    return wrapped(PrefixHelper, helper, PREFIX)


def imported(helper: StorageHelper) -> StorageHelper:
    """What the namespace of a space sees of an imported storage."""
    return wrapped(PrefixHelper, wrapped(SpaceRootHelper, helper), StoragePath("space"))


def often_failing(helper: StorageHelper) -> StorageHelper:
    """Every operation that may be done twice fails now and then: before it was done, or after that."""
    random = Random(1)

    def plan(verb: str, path: StoragePath) -> Fault | None:
        if verb in ONCE_ONLY or random.random() < 0.6:
            return None
        is_done = random.random() < 0.5 and not verb.startswith("open")
        return Fault(error=StorageUnavailable(errno.ECONNRESET, path), is_done=is_done)

    faulty = wrapped(FaultyHelper, helper, plan, CLOCK)
    retries = RetryTiming(tries=30, first_s=0.0)
    return wrapped(GuardedHelper, faulty, Guard(CLOCK, 30.0, StorageTally(), retries=retries))


def stacked(helper: StorageHelper) -> StorageHelper:
    return measured(buffered(guarded(prefixed(helper))))


WRAPS: dict[str, Wrap] = {
    "measured": measured,
    "guarded": guarded,
    "guarded, often failing": often_failing,
    "buffered": buffered,
    "imported": imported,
    "stacked": stacked,
}


def of_posix(name: str, wrap: Wrap) -> Enrolled:
    def make(server: Path, place: str) -> StorageHelper:
        if name != "stacked":
            return wrap(posix(server, place))
        (folder_of(server, place) / PREFIX).mkdir(parents=True)
        return wrap(posix_on_threads(server, place))

    return Enrolled(
        name=f"{name} posix",
        server=no_server,
        make=make,
        powers=POSIX_POWERS,
        lacks=POSIX_LACKS,
        reads_back=read_below if name == "stacked" else read_from_folder,
    )


def of_memory(name: str, wrap: Wrap) -> Enrolled:
    return Enrolled(
        name=f"{name} memory",
        server=no_server,
        make=lambda server, place: wrap(MemoryHelper()),
        powers=MEMORY_POWERS,
        lacks={"far offsets": "holes take memory as bytes do"},
    )


def read_below(server: Path, name: str, path: StoragePath) -> bytes:
    return (server / name / PREFIX / path).read_bytes()


def put_into_folder(server: Path, name: str, path: StoragePath, data: bytes) -> None:
    file = folder_of(server, name) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


READONLY = Enrolled(
    name="readonly posix",
    server=no_server,
    make=lambda server, name: wrapped(ReadonlyHelper, posix(server, name)),
    powers=POSIX_POWERS,
    lacks={**POSIX_LACKS, "writing": "it refuses every change"},
    reads_back=read_from_folder,
    puts=put_into_folder,
)

ENROLLED = (
    *(of_posix(name, wrap) for name, wrap in WRAPS.items()),
    of_memory("stacked", stacked),
    of_memory("guarded, often failing", often_failing),
    READONLY,
)

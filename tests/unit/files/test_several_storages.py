"""Spaces on several storages: where new contents go, and what becomes of those that are there."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from cluster_worker.persistence.engine import Scope
from cluster_worker.runtime.streams import BytesStream
from onedata.errors import Errno, InvalidQosExpression, Posix
from onedata.ids import StorageId
from op_worker.files.model import CreateOptions, Existing, MetadataChange
from op_worker.files.service import FileService
from op_worker.files.stored.landings import LANDINGS
from op_worker.placement.policy import policy_of
from op_worker.storage.helper import Capacity, StorageError, StorageFile, StoragePath, StorageUnavailable
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.immediate import now
from tests.support.spaces import (
    SECOND,
    SPACE,
    STORAGE,
    FlatMemoryHelper,
    Site,
    body,
    double_site,
    owner,
    path,
    read,
)
from tests.support.store_checker import stored_files

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
BIG = bytes(300_000)
NO_CHANGE = MetadataChange()


def put(files: FileService, name: str, data: bytes = b"123", change: MetadataChange = NO_CHANGE) -> str:
    """Write a content; return the storage that it lies on."""
    now(
        files.replace_content(
            owner, path(name), BytesStream(data), expected_b=len(data), create=UPDATE, metadata=change
        )
    )
    return storage_of(files, name)


def storage_of(files: FileService, name: str) -> str:
    """Return the storage that all of a file lies on."""
    told: Any = now(files.distribution.locations(owner, path(name)))
    [provider] = told["locationsPerProvider"].values()
    [storage] = provider["locationsPerStorage"]
    return str(storage)


def ruled(site: Site, *rules: Mapping[str, object]) -> FileService:
    """Return a process of a space with a policy."""
    files = now(site.process())
    now(files.context.choosing.policies.set(SPACE, policy_of({"rules": list(rules)})))
    return files


def only(storage_id: StorageId) -> dict[str, object]:
    return {"expression": f"storageId={storage_id}", "otherwise": "refuse"}


def test_contents_go_where_the_policy_says() -> None:
    files = ruled(
        double_site(), {"name": "*.h5", **only(SECOND)}, {"maxSize": 10, **only(STORAGE)}, only(SECOND)
    )
    assert put(files, "d/a.h5") == SECOND
    assert put(files, "d/a") == STORAGE
    assert put(files, "d/b", bytes(11)) == SECOND
    assert put(files, "d/c", BIG) == SECOND


def test_a_replacing_content_is_placed_anew_and_the_old_bytes_are_removed() -> None:
    site = double_site()
    files = ruled(site, {"maxSize": 10, **only(STORAGE)}, only(SECOND))
    for data in (b"short", bytes(20), b"short again", BIG, b"short"):
        put(files, "d/f", data)
        assert now(read(files, path("d/f"))) == data
    assert storage_of(files, "d/f") == STORAGE
    assert now(stored_files(site)) == {f"{SPACE}/d/f": b"short"}


def test_a_rename_moves_bytes_on_the_storage_with_names_only() -> None:
    site = double_site()
    files = ruled(site, {"maxSize": 10, **only(STORAGE)}, only(SECOND))
    put(files, "d/small")
    put(files, "d/large", BIG)
    now(files.move(owner, path("d"), path("e")))
    assert now(read(files, path("e/small"))) == b"123"
    assert now(read(files, path("e/large"))) == BIG
    now(files.move(owner, path("e/large"), path("e/small")))
    assert now(read(files, path("e/small"))) == BIG
    with pytest.raises(StorageError):
        now(site.helper.stat(StoragePath(f"{SPACE}/e/small")))
    now(files.remove(owner, path("e")))
    now(files.recover(SPACE))
    assert set(now(site.engine.counters(Scope(SPACE))).values()) == {0}


def test_a_file_or_the_nearest_directory_above_may_say_where_its_content_goes() -> None:
    files = ruled(double_site(), only(STORAGE))
    assert put(files, "d/x/first") == STORAGE
    now(files.metadata.change(owner, path("d"), _required(SECOND)))
    with pytest.raises(Posix) as caught:
        put(files, "d/x/f")  # the policy allows the first storage only
    assert caught.value.errno is Errno.ENOSPC
    now(files.context.choosing.policies.set(SPACE, policy_of({"rules": []})))
    assert put(files, "d/x/f") == SECOND
    now(files.metadata.change(owner, path("d/x"), _required(STORAGE)))
    assert put(files, "d/x/g") == STORAGE
    assert put(files, "d/x/f", change=_required(SECOND)) == SECOND
    assert put(files, "d/x/f") == SECOND  # it stands at the file now
    copy = now(files.copy(owner, path("d/x/f"), path("copy")))
    assert copy
    assert storage_of(files, "copy") == SECOND
    change = MetadataChange(remove_xattrs=["onedata_placement"])
    now(files.metadata.change(owner, path("d/x/f"), change))
    assert put(files, "d/x/f") == STORAGE


def _required(storage_id: StorageId) -> MetadataChange:
    return MetadataChange(set_xattrs={"onedata_placement": f"storageId={storage_id}"})


def test_what_is_no_expression_cannot_be_set() -> None:
    files = ruled(double_site())
    put(files, "f")
    for text in ("storageId", 7):
        with pytest.raises(InvalidQosExpression):
            now(
                files.metadata.change(
                    owner, path("f"), MetadataChange(set_xattrs={"onedata_placement": text})
                )
            )


class Troubled(FlatMemoryHelper):
    """A storage that refuses to take anything."""

    def __init__(self, error: StorageError) -> None:
        super().__init__()
        self._error = error
        self.open_write = self._refuse_open
        self.write_whole = self._refuse_write

    async def _refuse_write(self, path: StoragePath, data: bytes) -> None:
        raise self._error

    async def _refuse_open(self, path: StoragePath) -> StorageFile:
        raise self._error


TROUBLES = [
    StorageError(errno.ENOSPC, "x"),
    StorageError(errno.EROFS, "x"),
    StorageUnavailable(errno.EIO, "x"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_short_content_goes_to_the_next_storage_when_one_does_not_take_it(trouble: StorageError) -> None:
    site = evolve(double_site(), second=Troubled(trouble))
    files = ruled(site, {"expression": f"storageId={SECOND}"})
    assert put(files, "f") == STORAGE
    with pytest.raises(Exception):  # noqa: B017 - what the door makes of it depends on the trouble
        put(files, "g", BIG)
    assert now(site.engine.get_all(Scope(SPACE), LANDINGS)) == {}


def test_storages_that_are_drained_read_only_or_unwell_take_nothing_new() -> None:
    site = double_site()
    files = ruled(site, {"expression": f"storageId={SECOND}"})
    storages = files.context.storages
    record = storages.get(SECOND).record  # type: ignore[union-attr]  # it is there
    for changed in (evolve(record, is_draining=True), evolve(record, is_readonly=True)):
        now(storages.change_storage(SECOND, lambda _, changed=changed: changed))  # type: ignore[misc]
        assert put(files, "f") == STORAGE
    now(storages.add_storage(record))
    assert put(files, "f") == SECOND
    storages.get(SECOND).stack.verdict.problem = "it does not answer"  # type: ignore[union-attr]  # it is there
    assert put(files, "f") == STORAGE


class Limited(MemoryHelper):
    """A storage that knows how full it is."""

    free_b = 10

    async def capacity(self) -> Capacity:
        return Capacity(100, self.free_b)


def test_a_storage_that_says_it_is_full_is_passed_over_and_asked_again_later() -> None:
    site = evolve(double_site(), helper=Limited())
    files = ruled(site, {"expression": f"storageId={STORAGE}"})
    assert put(files, "f", bytes(11)) == SECOND
    assert put(files, "f", bytes(10)) == STORAGE
    Limited.free_b = 1000
    assert put(files, "g", bytes(11)) == SECOND  # not asked yet
    site.clock.advance(11)  # type: ignore[attr-defined]  # a clock of tests
    assert put(files, "g", bytes(11)) == STORAGE
    Limited.free_b = 10


def test_each_storage_has_a_quota_and_the_space_their_sum() -> None:
    site = evolve(double_site(), size_b=100)
    files = ruled(site)
    for number in range(4):
        put(files, f"f{number}", bytes(50))
    with pytest.raises(Posix) as caught:
        put(files, "g", b"1")
    assert caught.value.errno is Errno.ENOSPC
    usage = now(files.quotas.usage(owner, SPACE))
    assert usage.storages == {STORAGE: (100, 100), SECOND: (100, 100)}
    support = files.context.storages.for_space(SPACE)
    assert support is not None
    assert support.size_b == 200
    now(files.write_content(owner, path("f0"), 0, body(b"in place"), expected_b=8))


def test_a_storage_is_added_and_withdrawn_while_the_space_is_used() -> None:
    site = double_site()
    files = ruled(site)
    storages = files.context.storages
    now(storages.withdraw(SPACE, SECOND))
    assert {put(files, f"f{number}") for number in range(8)} == {STORAGE}
    now(storages.support(SPACE, SECOND, 1 << 30))
    assert {put(files, f"g{number}") for number in range(20)} == {STORAGE, SECOND}
    now(storages.withdraw(SPACE, STORAGE))
    now(storages.withdraw(SPACE, SECOND))
    assert storages.for_space(SPACE) is None

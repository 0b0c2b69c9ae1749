"""What storages can be used for, by type and parameters."""

from __future__ import annotations

import pytest
from attrs import evolve

from onedata.errors import AutoStorageImportNotSupported, RequiresReadonlyStorage, StorageImportNotSupported
from onedata.ids import StorageId
from op_worker.storage import capabilities
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.parameters import stored
from op_worker.storage.records import StorageRecord
from op_worker.storage.types import BadStorageError, Kind, Parameter, PathType, StorageType

BLOCKS = [Parameter(name="blockSize", kind=Kind.INTEGER, default="10")]
DISK = StorageType(name="disk", make=lambda parameters, surroundings: MemoryHelper(), is_posix=True)
BUCKET = StorageType(name="bucket", make=DISK.make, arguments=BLOCKS, is_object_storage=True)
POOL = evolve(BUCKET, name="pool", is_scannable=False)
PAGES = StorageType(name="pages", make=DISK.make, is_writable=False, is_scannable=False)
ALL = (DISK, BUCKET, POOL, PAGES)
FLAT = {"storagePathType": PathType.FLAT.value}
ONE_PIECE = {"blockSize": "0"}


@pytest.mark.parametrize(
    ("type_", "arguments", "scanned", "registered", "sizes"),
    [
        (DISK, {}, True, True, True),
        (DISK, FLAT, False, False, True),
        (BUCKET, {}, False, False, False),
        (BUCKET, ONE_PIECE, True, True, True),
        (BUCKET, {**ONE_PIECE, **FLAT}, False, False, True),
        (POOL, ONE_PIECE, False, True, True),
        (PAGES, {}, False, True, True),
    ],
)
def test_uses_follow_from_the_type_the_paths_and_the_size_of_blocks(
    type_: StorageType, arguments: dict[str, str], scanned: bool, registered: bool, sizes: bool
) -> None:
    parameters = stored(type_, arguments, {})
    assert capabilities.can_be_scanned(type_, parameters) is scanned
    assert capabilities.can_be_registered(type_, parameters) is registered
    assert capabilities.tells_sizes(type_, parameters) is sizes


def test_the_size_of_blocks_is_told_of_object_storages_only() -> None:
    assert capabilities.block_size_b(BUCKET, stored(BUCKET, {}, {})) == 10
    assert capabilities.block_size_b(BUCKET, stored(BUCKET, ONE_PIECE, {})) is None
    assert capabilities.block_size_b(DISK, stored(DISK, {"blockSize": "10"}, {})) is None


def record(type_: StorageType, *, imported: bool = False, readonly: bool = False) -> StorageRecord:
    return StorageRecord(
        storage_id=StorageId("st"), name="st", type=type_.name, is_imported=imported, is_readonly=readonly
    )


@pytest.mark.parametrize(
    ("type_", "arguments", "imported", "readonly"),
    [
        (DISK, {}, False, False),
        (DISK, {}, True, False),
        (DISK, {}, True, True),
        (DISK, FLAT, False, False),
        (BUCKET, ONE_PIECE, True, True),
        (PAGES, {}, True, True),
    ],
)
def test_possible_uses_are_accepted(
    type_: StorageType, arguments: dict[str, str], imported: bool, readonly: bool
) -> None:
    wanted = record(type_, imported=imported, readonly=readonly)
    capabilities.check_flags(type_, stored(type_, arguments, {}), wanted)


@pytest.mark.parametrize(
    ("type_", "arguments", "imported", "readonly", "word"),
    [
        (PAGES, {}, True, False, "readonly"),
        (DISK, {}, False, True, "importedStorage"),
        (DISK, FLAT, True, False, "canonical"),
        (BUCKET, {}, True, False, "one piece"),
    ],
)
def test_impossible_uses_are_refused(
    type_: StorageType, arguments: dict[str, str], imported: bool, readonly: bool, word: str
) -> None:
    wanted = record(type_, imported=imported, readonly=readonly)
    with pytest.raises(BadStorageError, match=word) as caught:
        capabilities.check_flags(type_, stored(type_, arguments, {}), wanted)
    assert caught.value.error is not None


def test_what_cannot_be_written_has_to_be_readonly_by_a_typed_error() -> None:
    with pytest.raises(BadStorageError) as caught:
        capabilities.check_flags(PAGES, stored(PAGES, {}, {}), record(PAGES, imported=True))
    assert caught.value.error is not None
    assert caught.value.error.to_json() == RequiresReadonlyStorage("pages").to_json()


def test_a_scan_of_what_cannot_be_scanned_names_the_types_that_can() -> None:
    capabilities.check_scan(record(DISK), stored(DISK, {}, {}), ALL)
    with pytest.raises(AutoStorageImportNotSupported) as caught:
        capabilities.check_scan(record(PAGES), stored(PAGES, {}, {}), ALL)
    assert caught.value.to_json() == AutoStorageImportNotSupported("st", ["disk"], ["bucket"]).to_json()


def test_registering_on_what_has_no_foreign_files_names_the_object_storages() -> None:
    capabilities.check_registering(record(PAGES), stored(PAGES, {}, {}), ALL)
    with pytest.raises(StorageImportNotSupported) as caught:
        capabilities.check_registering(record(POOL), stored(POOL, {}, {}), ALL)
    assert caught.value.to_json() == StorageImportNotSupported("st", ["bucket", "pool"]).to_json()

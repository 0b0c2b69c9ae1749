"""What storages can be used for, by their type and parameters, and which combinations are refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from onedata.errors import (
    AutoStorageImportNotSupported,
    BadData,
    OnedataError,
    RequiresReadonlyStorage,
    StorageImportNotSupported,
)
from op_worker.storage.parameters import path_type
from op_worker.storage.records import StorageRecord
from op_worker.storage.types import BadStorageError, Parameters, PathType, StorageType

BLOCK_SIZE = "blockSize"


def block_size_b(type_: StorageType, parameters: Parameters) -> int | None:
    """Return the size of the objects that a file is cut into; ``None`` when it is one piece."""
    if not (type_.is_object_storage and parameters.has(BLOCK_SIZE)):
        return None
    return parameters.integer(BLOCK_SIZE) or None


def has_foreign_files(type_: StorageType, parameters: Parameters) -> bool:
    """Whether files that others put there can be files of a space: each is one piece under its own name."""
    if path_type(parameters) is not PathType.CANONICAL:
        return False
    return not type_.is_object_storage or block_size_b(type_, parameters) is None


def can_be_scanned(type_: StorageType, parameters: Parameters) -> bool:
    """Whether it can be imported by looking through it."""
    return type_.is_scannable and has_foreign_files(type_, parameters)


def can_be_registered(type_: StorageType, parameters: Parameters) -> bool:
    """Whether its files can be registered one by one."""
    return has_foreign_files(type_, parameters)


def tells_sizes(type_: StorageType, parameters: Parameters) -> bool:
    """Whether the storage itself says how long a file is."""
    return not type_.is_object_storage or block_size_b(type_, parameters) is None


def check_flags(type_: StorageType, parameters: Parameters, record: StorageRecord) -> None:
    """Demand that how a storage is to be used is possible.

    What cannot be written must be read-only, what is read-only must be imported, what is imported must be
    such that its files can be ours.

    Raises: BadStorageError.
    """
    if not type_.is_writable and not record.is_readonly:
        raise BadStorageError(
            f"a storage of type {type_.name} cannot be written, so it must be readonly",
            RequiresReadonlyStorage(type_.name),
        )
    if record.is_readonly and not record.is_imported:
        raise BadStorageError(
            "a readonly storage must be an importedStorage: nothing else could ever be on it",
            BadData("readonly", "a readonly storage must be an importedStorage"),
        )
    if record.is_imported and not can_be_registered(type_, parameters):
        raise BadStorageError(
            f"a storage of type {type_.name} is imported only with canonical paths and a file in one piece",
            BadData("importedStorage", "the storage needs canonical paths, and blockSize 0 where it has one"),
        )


def check_scan(record: StorageRecord, parameters: Parameters, types: Iterable[StorageType]) -> None:
    """Demand that a storage can be imported by looking through it. Raises: OnedataError."""
    by_name = {each.name: each for each in types}
    if not can_be_scanned(by_name[record.type], parameters):
        raise _scan_refused(record, by_name.values())


def check_registering(record: StorageRecord, parameters: Parameters, types: Iterable[StorageType]) -> None:
    """Demand that files of a storage can be registered one by one. Raises: OnedataError."""
    by_name = {each.name: each for each in types}
    if not can_be_registered(by_name[record.type], parameters):
        raise StorageImportNotSupported(record.storage_id, _names(by_name.values(), is_object=True))


def _scan_refused(record: StorageRecord, types: Collection[StorageType]) -> OnedataError:
    scannable = [each for each in types if each.is_scannable]
    return AutoStorageImportNotSupported(
        record.storage_id, _names(scannable, is_object=False), _names(scannable, is_object=True)
    )


def _names(types: Iterable[StorageType], *, is_object: bool) -> Collection[str]:
    return sorted(each.name for each in types if each.is_object_storage is is_object)


def is_tried_by_writing(type_: StorageType, record: StorageRecord) -> bool:
    """Whether a probe may make a file on a storage, and its nodes see what each other wrote there."""
    return type_.is_probed and type_.is_writable and not record.is_readonly

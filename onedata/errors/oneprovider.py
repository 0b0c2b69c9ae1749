"""Errors of a provider: spaces, storages, transfers, views, archives."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define

from onedata.errors.base import OnedataError


class UserNotSupported(OnedataError):
    text: ClassVar[str] = "The user has no space that this Oneprovider supports."
    http_status = 403


@define(slots=False)
class SpaceNotSupportedBy(OnedataError):
    text: ClassVar[str] = "The space {space_id} is not supported by the Oneprovider {provider_id}."

    space_id: str
    provider_id: str | None


@define(slots=False)
class NotALocalStorageSupportingSpace(OnedataError):
    text: ClassVar[str] = (
        "The storage {storage_id} does not belong to the Oneprovider {provider_id} or does not "
        "support the space {space_id}."
    )

    provider_id: str
    storage_id: str
    space_id: str


class AutoCleaningDisabled(OnedataError):
    text: ClassVar[str] = "Auto-cleaning is disabled."


class FilePopularityDisabled(OnedataError):
    text: ClassVar[str] = "The statistics of file popularity are disabled."


class StorageInUse(OnedataError):
    text: ClassVar[str] = "The storage supports a space."


class RequiresAutoStorageImportMode(OnedataError):
    text: ClassVar[str] = "The operation needs the automatic mode of storage import."


class QuotaExceeded(OnedataError):
    text: ClassVar[str] = "The quota of the space is exceeded."


class TransferAlreadyEnded(OnedataError):
    text: ClassVar[str] = "The transfer has ended already."


class TransferNotEnded(OnedataError):
    text: ClassVar[str] = "The transfer has not ended yet."


class DirStatsDisabledForSpace(OnedataError):
    text: ClassVar[str] = "Statistics of directories are disabled for the space."


class SearchDisabledForSpace(OnedataError):
    text: ClassVar[str] = (
        "Search is disabled for the space. "
        'Whoever has space_update enables it: PATCH /spaces/ID/settings with {{"search": true}}.'
    )


@define(slots=False)
class ChangesForgotten(OnedataError):
    text: ClassVar[str] = (
        "The stream of changes begins after number {horizon}: removals up to there are no longer known. "
        "Read the space anew, then follow from a newer number."
    )
    http_status = 410

    horizon: int


class DirStatsNotReady(OnedataError):
    text: ClassVar[str] = "Statistics of the directory are not ready yet; try again later."
    retryable = True


class RecallTargetConflict(OnedataError):
    text: ClassVar[str] = "An archive is already being recalled to this place."


class ShareExpired(OnedataError):
    text: ClassVar[str] = "The share has expired."
    http_status = 410


class SharePasswordRequired(OnedataError):
    text: ClassVar[str] = "The share is protected by a password."


class BadSharePassword(OnedataError):
    text: ClassVar[str] = "The password does not fit the share."


class NotSupportedForSymlinks(OnedataError):
    text: ClassVar[str] = "The operation is not supported for symbolic links."


@define(slots=False)
class StorageTestFailed(OnedataError):
    text: ClassVar[str] = "The test of the storage failed: could not {operation} the test file."

    operation: str


@define(slots=False)
class StorageMismatch(OnedataError):
    """A storage that does not fit the operation."""

    storage_id: str


class RequiresNonImportedStorage(StorageMismatch):
    text: ClassVar[str] = (
        "The storage {storage_id} is an imported one, which this operation does not support."
    )


class RequiresImportedStorage(StorageMismatch):
    text: ClassVar[str] = "The storage {storage_id} is not an imported one."


class StatOperationNotSupported(StorageMismatch):
    text: ClassVar[str] = "The storage {storage_id} cannot tell the attributes of its files."


@define(slots=False)
class RequiresReadonlyStorage(OnedataError):
    text: ClassVar[str] = "The storage {storage_id_or_type} must be configured as readonly."

    storage_id_or_type: str


@define(slots=False)
class RequiresPosixCompatibleStorage(OnedataError):
    text: ClassVar[str] = (
        "The storage {storage_id} is not POSIX-compatible; these types are: {posix_compatible_storages}."
    )

    storage_id: str
    posix_compatible_storages: Collection[str]


@define(slots=False)
class AutoStorageImportNotSupported(OnedataError):
    text: ClassVar[str] = (
        "The storage {storage_id} does not support automatic import; these types do: "
        "{supported_storages}; these object storages do with flat paths: {supported_object_storages}."
    )

    storage_id: str
    supported_storages: Collection[str]
    supported_object_storages: Collection[str]


@define(slots=False)
class StorageImportNotSupported(OnedataError):
    text: ClassVar[str] = (
        "The storage {storage_id} does not support import; object storages need flat paths: "
        "{object_storages}."
    )

    storage_id: str
    object_storages: Collection[str]


@define(slots=False)
class ViewNotExistsOn(OnedataError):
    text: ClassVar[str] = "The view does not exist on the Oneprovider {provider_id}."

    provider_id: str


@define(slots=False)
class ViewQueryFailed(OnedataError):
    text: ClassVar[str] = "The query of the view failed ({category}): {description_}"

    category: str
    description_: str


@define(slots=False)
class ForbiddenForCurrentArchiveState(OnedataError):
    text: ClassVar[str] = "The archive is {current_state}; the operation needs one of: {allowed_states}."

    current_state: str
    allowed_states: Collection[str]


@define(slots=False)
class NestedArchiveDeletionForbidden(OnedataError):
    text: ClassVar[str] = (
        "The archive is nested in the archive {parent_archive_id} and cannot be deleted alone."
    )

    parent_archive_id: str

"""Why a backup is not made, or not put back."""

from __future__ import annotations


class BackupError(Exception):
    """Root of these errors; the message is for the operator."""


class NotReached(BackupError):
    """The store, or one of its servers, is away."""


class StoreMoved(BackupError):
    """Another server became the primary, or slots moved, while the dump was taken."""


class DumpBroken(BackupError):
    """A server refused its dump, or did not send it to the end."""


class DumpUnreadable(BackupError):
    """A server ends when it is given this dump."""


class UnknownContent(BackupError):
    """A key of a type that is never stored by us: the database belongs to somebody else too."""


class FolderTaken(BackupError):
    """Something is where the backup should come, or somebody else makes it just now."""


class TargetNotEmpty(BackupError):
    """There are data where the backup should go; nothing was changed."""


class BackupDamaged(BackupError):
    """The backup is not what it was when it was made."""

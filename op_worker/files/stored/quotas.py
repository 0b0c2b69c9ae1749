"""Optional quotas of a space: their names and stored form, and which of them a file is charged to. Pure.

A quota bounds the files of one user, or everything below one directory. All quotas of a space lie in one
document, a field for each, next to the field ``EPOCH``, which changes with every change of the others. A
commit that charges a file demands the epoch that it was decided by, so nobody charges by an old list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Document, Key, Put, Step
from op_worker.files.stored.packing import SCHEMA, pack, unpack

QUOTAS = Key("quotas")
"""The document of a space that holds its quotas."""
EPOCH = "epoch"
_SETTLED, _UNSETTLED = b"\x00", b"\x01"
_USER, _DIRECTORY = "u:", "d:"


@frozen
class Quota:
    """The most bytes held in blocks, and the most regular files; ``None`` is no limit."""

    size_b: int | None = None
    files: int | None = None

    def encode(self) -> bytes:
        return pack([SCHEMA, self.size_b, self.files])

    @classmethod
    def decode(cls, data: bytes) -> Quota:
        _, size_b, files, *_ = unpack(data, "quota")
        return cls(size_b, files)


@frozen(eq=False)
class SpaceQuotas:
    """The quotas of a space by name, as one read found them.

    ``is_settled`` is false while files are being charged anew in the background.
    """

    revision: int = ABSENT
    is_settled: bool = True
    quotas: Mapping[str, Quota] = field(factory=dict)

    @classmethod
    def decode(cls, documents: Mapping[str, Document]) -> SpaceQuotas:
        """Return what the fields of ``QUOTAS`` say."""
        epoch = documents.get(EPOCH)
        if epoch is None:
            return cls()
        quotas = {name: Quota.decode(one.data) for name, one in documents.items() if name != EPOCH}
        return cls(epoch.revision, epoch.data == _SETTLED, quotas)

    @property
    def is_of_concern(self) -> bool:
        """Whether it can matter where a file is: there are quotas, or there were until lately."""
        return bool(self.quotas) or not self.is_settled

    def wanted(self, owner: str, directories: Iterable[Key]) -> tuple[str, ...]:
        """Return the names of the quotas that a file of ``owner`` below ``directories`` is charged to."""
        if not self.quotas:
            return ()
        names = [of_user(owner), *map(of_directory, directories)]
        return tuple([name for name in names if name in self.quotas])

    def unchanged(self) -> Step:
        """Demand that the quotas are as they were read."""
        return Check(QUOTAS, EPOCH, self.revision)

    def next_epoch(self, *, is_settled: bool) -> Step:
        """Return the step that tells everybody of a change; it demands that the quotas are as read."""
        return Put(QUOTAS, EPOCH, _SETTLED if is_settled else _UNSETTLED, expect=self.revision)


NO_QUOTAS = SpaceQuotas()


def of_user(user_id: str) -> str:
    """Return the name of a user's quota."""
    return _USER + user_id


def of_directory(uuid: str) -> str:
    """Return the name of a directory's quota."""
    return _DIRECTORY + uuid


def user_of(name: str) -> str | None:
    """Return the user whose quota has this name; ``None`` for quotas of directories."""
    return name.removeprefix(_USER) if name.startswith(_USER) else None


def directory_of(name: str) -> str | None:
    """Return the directory whose quota has this name; ``None`` for quotas of users."""
    return name.removeprefix(_DIRECTORY) if name.startswith(_DIRECTORY) else None

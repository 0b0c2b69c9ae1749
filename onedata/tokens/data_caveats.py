"""Caveats on file data: reading only, and only below certain paths or files."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from attrs import field, frozen
from attrs.validators import min_len

from onedata.ids import FileGuid, SpaceId
from onedata.tokens.caveat_forms import Caveat, WhitelistCaveat, need, only_fields


@frozen
class DataReadonlyCaveat(Caveat):
    """``data.readonly``: nothing is modified."""

    name: ClassVar[str] = "data.readonly"

    @property
    def text(self) -> str:
        """``data.readonly``."""
        return self.name

    def to_json(self) -> dict[str, object]:
        """``{"type": "data.readonly"}``."""
        return {"type": self.name}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read nothing."""
        need(operator == body == "")
        return cls()

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read nothing."""
        only_fields(body)
        return cls()


def is_canonical_path(path: str) -> bool:
    """Whether it is ``/<space id>`` with names below, without empty, ``.`` or ``..`` parts."""
    first, *names = path.split("/")
    return not first and bool(names) and not any(name in ("", ".", "..") or "\0" in name for name in names)


def _need_canonical(instance: object, attribute: object, whitelist: tuple[str, ...]) -> None:
    need(all(map(is_canonical_path, whitelist)))


@frozen
class DataPathCaveat(WhitelistCaveat):
    """``data.path = <base64>|<base64>``: only below these canonical paths (``/<space id>/a/b``)."""

    name: ClassVar[str] = "data.path"

    whitelist: tuple[str, ...] = field(validator=[min_len(1), _need_canonical])

    def written(self) -> list[str]:
        """The paths in base64, padded."""
        return [binascii.b2a_base64(path.encode(), newline=False).decode() for path in self.whitelist]

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read paths in base64."""
        return cls(tuple(binascii.a2b_base64(item, strict_mode=True).decode() for item in items))

    @property
    def spaces(self) -> frozenset[SpaceId]:
        """The spaces that the paths lie in."""
        return frozenset(SpaceId(path.split("/", 2)[1]) for path in self.whitelist)


def _need_file_ids(instance: object, attribute: object, whitelist: tuple[str, ...]) -> None:
    for object_id in whitelist:
        FileGuid.from_object_id(object_id)


@frozen
class DataObjectIdCaveat(WhitelistCaveat):
    """``data.objectid = <id>|<id>``: only these files and directories and what is below."""

    name: ClassVar[str] = "data.objectid"

    whitelist: tuple[str, ...] = field(validator=[min_len(1), _need_file_ids])

    def written(self) -> list[str]:
        """The object ids."""
        return list(self.whitelist)

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Take the object ids as they are."""
        return cls(tuple(items))

    @property
    def spaces(self) -> frozenset[SpaceId]:
        """The spaces that the files lie in."""
        return frozenset(FileGuid.from_object_id(object_id).space_id for object_id in self.whitelist)

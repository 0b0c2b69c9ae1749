"""Who and what a token speaks of: subjects (users, providers, groups) and services."""

from __future__ import annotations

import re
from enum import StrEnum

from attrs import field, frozen

ANY_ID = "*"
"""In a caveat: every id of the kind."""

_PLAIN_ID = re.compile(r"[^\x00-\x20\x7f/|:\ud800-\udfff]+")


def is_plain_id(text: object) -> bool:
    """Whether this may stand as an id inside a token: a word without ``/``, ``|`` and ``:``."""
    return isinstance(text, str) and _PLAIN_ID.fullmatch(text) is not None


class SubjectKind(StrEnum):
    """The kinds of subjects, as in JSON. A group is named in caveats and memberships, it owns no tokens."""

    USER = "user"
    ONEPROVIDER = "oneprovider"
    GROUP = "group"
    NOBODY = "nobody"


_SUBJECT_CODES = {"usr": SubjectKind.USER, "prv": SubjectKind.ONEPROVIDER, "grp": SubjectKind.GROUP}
_CODE_OF_SUBJECT = {kind: code for code, kind in _SUBJECT_CODES.items()}


@frozen
class Subject:
    """A user, a provider, a group or nobody; ``id`` is None for nobody only."""

    kind: SubjectKind = field(converter=SubjectKind)
    id: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.kind is SubjectKind.NOBODY) != (self.id is None) or not (
            self.id is None or is_plain_id(self.id)
        ):
            raise ValueError(f"not the id of a {self.kind}: {self.id!r}")

    @property
    def text(self) -> str:
        """``usr-<id>``, ``prv-<id>``, ``grp-<id>`` or ``nobody``."""
        return self.kind.value if self.id is None else f"{_CODE_OF_SUBJECT[self.kind]}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read the text form; raises ValueError when it is not one."""
        if text == SubjectKind.NOBODY:
            return NOBODY
        code, _, subject_id = text.partition("-")
        if code not in _SUBJECT_CODES:
            raise ValueError("not a subject")
        return cls(_SUBJECT_CODES[code], subject_id)

    def to_json(self) -> dict[str, object]:
        """``{"type": "user", "id": …}``."""
        return {"type": self.kind.value, "id": self.id}

    @classmethod
    def from_json(cls, obj: object) -> Subject:
        """Read the JSON form; raises ValueError when it is not one."""
        if not isinstance(obj, dict) or not isinstance(obj.get("id"), str | None):
            raise ValueError("not a subject")
        return cls(str(obj.get("type")), obj.get("id"))


NOBODY = Subject(SubjectKind.NOBODY)


class ServiceKind(StrEnum):
    """The services of Onedata, as in JSON."""

    OZ_WORKER = "oz_worker"
    OZ_PANEL = "oz_panel"
    OP_WORKER = "op_worker"
    OP_PANEL = "op_panel"


_SERVICE_CODES = {
    "ozw": ServiceKind.OZ_WORKER,
    "ozp": ServiceKind.OZ_PANEL,
    "opw": ServiceKind.OP_WORKER,
    "opp": ServiceKind.OP_PANEL,
}
_CODE_OF_SERVICE = {kind: code for code, kind in _SERVICE_CODES.items()}

ONEZONE_CLUSTER_ID = "onezone"
"""The id of the zone's own cluster; a provider's cluster has the id of the provider."""


@frozen
class Service:
    """One service of one cluster; in caveats the id may be ``*``."""

    kind: ServiceKind = field(converter=ServiceKind)
    id: str = field()

    def __attrs_post_init__(self) -> None:
        if not is_plain_id(self.id):
            raise ValueError(f"not the id of a cluster: {self.id!r}")

    @property
    def text(self) -> str:
        """``opw-<id>``, ``ozw-onezone`` …"""
        return f"{_CODE_OF_SERVICE[self.kind]}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Service:
        """Read the text form; raises ValueError when it is not one."""
        code, _, cluster_id = text.partition("-")
        return cls(service_kind(code), cluster_id)

    def to_json(self) -> dict[str, object]:
        """``{"type": "op_worker", "id": …}``."""
        return {"type": self.kind.value, "id": self.id}


def service_kind(code: str) -> ServiceKind:
    """The service that ``ozw``, ``ozp``, ``opw`` or ``opp`` stands for; raises ValueError for others."""
    if code not in _SERVICE_CODES:
        raise ValueError("not a service")
    return _SERVICE_CODES[code]


def service_code(kind: ServiceKind) -> str:
    """The inverse of ``service_kind``."""
    return _CODE_OF_SERVICE[kind]

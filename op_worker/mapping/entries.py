"""What the tables of a mapping hold, and the JSON that says it: at doors, in the store, from a feed. Pure.

Whatever reads such JSON raises an ``OnedataError`` that names the part which is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from onedata.errors import (
    BadData,
    BadValueInteger,
    BadValueJSON,
    BadValueNotAllowed,
    BadValueString,
    BadValueTooHigh,
    BadValueTooLow,
    MissingRequiredValue,
)
from op_worker.mapping.feeds import REDACTED
from op_worker.storage.types import StorageType

Json = Mapping[str, object]

MAX_ID = 2**32 - 2
"""The highest uid and gid; the next one means "leave it" to the system."""
MAX_TEXT_B = 8192
_UID = "uid"


class Table(StrEnum):
    """The tables; the value is where its records lie below a feed's address and at the admin door."""

    USERS = "storage_access/all/onedata_user_to_credentials"
    DEFAULTS = "storage_access/posix_compatible/default_credentials"
    DISPLAY = "display_credentials/all/default"
    OWNERS = "storage_import/posix_compatible/uid_to_onedata_user"
    ACL_USERS = "storage_import/posix_compatible/acl_user_to_onedata_user"
    ACL_GROUPS = "storage_import/posix_compatible/acl_group_to_onedata_group"

    @property
    def is_posix_only(self) -> bool:
        """Whether it means something for storages alone where users have a uid and a gid."""
        return "/posix_compatible/" in self.value


@frozen(kw_only=True)
class StorageUser:
    """A user on a storage: his credentials there, and the uid that he is shown as when it is another."""

    credentials: Mapping[str, str] = field(repr=False)
    display_uid: int | None = None

    @property
    def uid(self) -> int | None:
        """His uid, where users have one."""
        return int(self.credentials[_UID]) if _UID in self.credentials else None

    def to_json(self) -> dict[str, object]:
        shown = {} if self.display_uid is None else {"displayUid": self.display_uid}
        return {"storageCredentials": dict(self.credentials), **shown}

    def redacted(self, type_: StorageType) -> StorageUser:
        """Return what may be shown."""
        secrets = {each.name for each in type_.credentials if each.is_secret}
        shown = {name: REDACTED if name in secrets else text for name, text in self.credentials.items()}
        return evolve(self, credentials=shown)


@frozen(kw_only=True)
class SpaceIds:
    """The uid and gid of a space: what its files belong to, or are shown as."""

    uid: int | None = None
    gid: int | None = None

    def to_json(self) -> dict[str, object]:
        both = {"uid": self.uid, "gid": self.gid}
        return {name: number for name, number in both.items() if number is not None}


@frozen(kw_only=True)
class OnedataSubject:
    """A user or a group of ours: by our id, or by what an identity provider calls it (``idp`` is set)."""

    subject: str
    idp: str | None = None


Entry = StorageUser | SpaceIds | OnedataSubject


@frozen(kw_only=True)
class _Scheme:
    """How a kind of subject is written."""

    own: str
    own_id: str
    idp: str
    idp_id: str


_USER = _Scheme(own="onedataUser", own_id="onedataUserId", idp="idpUser", idp_id="subjectId")
_GROUP = _Scheme(own="onedataGroup", own_id="onedataGroupId", idp="idpEntitlement", idp_id="idpEntitlement")


def entry_of(table: Table, type_: StorageType, body: object) -> Entry:
    """Read a record of a table of a storage of this type."""
    if not isinstance(body, Mapping):
        raise BadValueJSON(table.value.rpartition("/")[2])
    match table:
        case Table.USERS:
            return _storage_user(type_, body)
        case Table.DEFAULTS | Table.DISPLAY:
            return _space_ids(body)
        case Table.ACL_GROUPS:
            return _subject(_GROUP, body)
        case _:
            return _subject(_USER, body)


def json_of(table: Table, entry: Entry) -> dict[str, object]:
    """Return how a record is written; secrets are in it."""
    if not isinstance(entry, OnedataSubject):
        return entry.to_json()
    scheme = _GROUP if table is Table.ACL_GROUPS else _USER
    if entry.idp is None:
        return {"mappingScheme": scheme.own, scheme.own_id: entry.subject}
    return {"mappingScheme": scheme.idp, "idp": entry.idp, scheme.idp_id: entry.subject}


def check_key(table: Table, key: str) -> None:
    """Raise unless this can be the key of a record: an id, a name, or a uid."""
    if table is Table.OWNERS:
        posix_id("uid", key)
    elif not key or len(key.encode("utf-8", "replace")) > MAX_TEXT_B:
        raise BadValueString("key")


def posix_id(key: str, value: object) -> int:
    """Read a uid or gid: a number or its decimal text, from 0 to 2³²-2."""
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdecimal() and len(value) < 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValueInteger(key)
    if value < 0:
        raise BadValueTooLow(key, 0)
    if value > MAX_ID:
        raise BadValueTooHigh(key, MAX_ID)
    return value


def _storage_user(type_: StorageType, body: Json) -> StorageUser:
    _require_known(body, {"storageCredentials", "displayUid"})
    given = body.get("storageCredentials")
    if given is None:
        raise MissingRequiredValue("storageCredentials")
    if not isinstance(given, Mapping):
        raise BadValueJSON("storageCredentials")
    credentials = _posix_credentials(given) if type_.is_posix else _credentials(type_, given)
    return StorageUser(credentials=credentials, display_uid=_optional_id(body, "displayUid"))


def _posix_credentials(given: Json) -> dict[str, str]:
    """The gid is the space's, so only the uid is a user's own."""
    _require_known(given, {_UID, "type"})
    if given.get(_UID) is None:
        raise MissingRequiredValue(_UID)
    return {_UID: str(posix_id(_UID, given[_UID]))}


def _credentials(type_: StorageType, given: Json) -> dict[str, str]:
    names = [each.name for each in type_.credentials]
    _require_known(given, {*names, "type"})
    for each in type_.credentials:
        if each.default is None and not each.is_optional and given.get(each.name) is None:
            raise MissingRequiredValue(each.name)
    return {name: _text(name, given[name]) for name in names if given.get(name) is not None}


def _space_ids(body: Json) -> SpaceIds:
    _require_known(body, {"uid", "gid"})
    return SpaceIds(uid=_optional_id(body, "uid"), gid=_optional_id(body, "gid"))


def _subject(scheme: _Scheme, body: Json) -> OnedataSubject:
    wanted = _required(body, "mappingScheme")
    if wanted == scheme.own:
        _require_known(body, {"mappingScheme", scheme.own_id})
        return OnedataSubject(subject=_required(body, scheme.own_id))
    if wanted == scheme.idp:
        _require_known(body, {"mappingScheme", "idp", scheme.idp_id})
        return OnedataSubject(subject=_required(body, scheme.idp_id), idp=_required(body, "idp"))
    raise BadValueNotAllowed("mappingScheme", [scheme.own, scheme.idp])


def _require_known(body: Json, names: set[str]) -> None:
    for name in body:
        if name not in names:
            raise BadData(str(name)[:100], "there is no such field here")


def _required(body: Json, key: str) -> str:
    value = body.get(key)
    if value is None:
        raise MissingRequiredValue(key)
    if not isinstance(value, str) or not value or len(value.encode("utf-8", "replace")) > MAX_TEXT_B:
        raise BadValueString(key)
    return value


def _optional_id(body: Json, key: str) -> int | None:
    value = body.get(key)
    return None if value is None else posix_id(key, value)


def _text(key: str, value: object) -> str:
    """Credentials are texts; numbers and truth values are written as JSON writes them."""
    text = json.dumps(value) if isinstance(value, (bool, int, float)) else value
    if not isinstance(text, str) or len(text.encode("utf-8", "replace")) > MAX_TEXT_B:
        raise BadValueString(key)
    return text

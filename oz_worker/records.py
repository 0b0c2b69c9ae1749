"""What the zone keeps: one frozen record per entity, with a schema number and a codec.

Times are whole seconds since the Unix epoch, sizes bytes. A record written by a newer release keeps
the fields this one does not know (``unknown``) when it is written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

import msgpack
from attrs import evolve, field, fields, frozen
from cattrs import Converter

from cluster_worker.persistence.engine import Key
from onedata.tokens.subjects import NOBODY, Subject

SCHEMA: Final = 1
"""The number written into every stored record; older numbers stay readable."""

Members = Mapping[str, frozenset[str]]
"""Direct members by id, with the privileges they hold."""


Changes = Mapping[str, Any]
"""New values of some attributes of a record, by attribute name."""


class UnreadableRecord(Exception):
    """A stored record is of an unknown kind or schema, or does not hold what its kind demands."""


@frozen
class TemporarySecret:
    """What a subject's temporary tokens are signed with; a new generation revokes them all."""

    generation: int
    secret: str = field(repr=False)


@frozen(kw_only=True)
class User:
    """A person.

    ``privileges`` are zone privileges, ``aliases`` own names of spaces by space id, ``ended_tokens`` the ids
    of the newest named tokens that were removed, so that providers can be told of them.
    """

    KIND: ClassVar[str] = "user"
    id: str
    created_s: int
    temporary: TemporarySecret
    full_name: str = "Unnamed User"
    username: str | None = None
    basic_auth_enabled: bool = False
    password_hash: str | None = field(default=None, repr=False)
    blocked: bool = False
    privileges: frozenset[str] = frozenset()
    emails: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(factory=dict)
    ended_tokens: tuple[str, ...] = ()
    unknown: Mapping[str, Any] = field(factory=dict, repr=False)

    def names(self) -> frozenset[tuple[str, str]]:
        """Return the unique names this record holds, as (directory, name)."""
        return frozenset() if self.username is None else frozenset({("usernames", self.username)})


@frozen(kw_only=True)
class Group:
    """A group of users and of other groups. ``privileges`` are zone privileges of its members."""

    KIND: ClassVar[str] = "group"
    id: str
    created_s: int
    name: str
    type: str = "team"
    creator: Subject = NOBODY
    protected: bool = False
    privileges: frozenset[str] = frozenset()
    users: Members = field(factory=dict)
    groups: Members = field(factory=dict)
    unknown: Mapping[str, Any] = field(factory=dict, repr=False)

    def names(self) -> frozenset[tuple[str, str]]:
        """Group names need not be unique."""
        return frozenset()


@frozen
class Support:
    """The storage a provider gives to a space: bytes by storage id, and which of them are read-only."""

    storages: Mapping[str, int]
    readonly: frozenset[str] = frozenset()

    @property
    def size_b(self) -> int:
        """All bytes that the provider gives."""
        return sum(self.storages.values())

    @property
    def is_readonly(self) -> bool:
        """Whether every storage of this support is read-only."""
        return bool(self.storages) and self.readonly >= self.storages.keys()


@frozen(kw_only=True)
class Space:
    """A place for files; ``owners`` are user ids, ``supports`` are by provider id."""

    KIND: ClassVar[str] = "space"
    id: str
    created_s: int
    name: str
    creator: Subject = NOBODY
    description: str = ""
    organization_name: str = ""
    tags: tuple[str, ...] = ()
    advertised: bool = False
    marketplace_contact: str = ""
    users: Members = field(factory=dict)
    groups: Members = field(factory=dict)
    owners: frozenset[str] = frozenset()
    supports: Mapping[str, Support] = field(factory=dict)
    unknown: Mapping[str, Any] = field(factory=dict, repr=False)

    def names(self) -> frozenset[tuple[str, str]]:
        """Space names need not be unique."""
        return frozenset()


@frozen(kw_only=True)
class Provider:
    """A registered Oneprovider and the cluster it forms; ``users`` and ``groups`` are the cluster's."""

    KIND: ClassVar[str] = "provider"
    id: str
    created_s: int
    name: str
    domain: str
    admin_email: str
    root_token_id: str
    temporary: TemporarySecret
    creator: Subject = NOBODY
    subdomain: str | None = None
    ips: tuple[str, ...] = ()
    latitude: float = 0.0
    longitude: float = 0.0
    worker_version: Mapping[str, str] = field(factory=dict)
    panel_version: Mapping[str, str] = field(factory=dict)
    panel_proxy: bool = True
    users: Members = field(factory=dict)
    groups: Members = field(factory=dict)
    unknown: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def version(self) -> str:
        """The release the provider has published, or ``unknown``."""
        return self.worker_version.get("release", "unknown")

    def names(self) -> frozenset[tuple[str, str]]:
        """Return the unique names this record holds, as (directory, name)."""
        return frozenset() if self.subdomain is None else frozenset({("subdomains", self.subdomain)})


@frozen(kw_only=True)
class NamedToken:
    """A stored token. ``serialized`` is the token itself, ``secret`` what it is signed with.

    ``usage_limit``, ``usage_count`` and ``privileges`` only matter for invite tokens.
    """

    KIND: ClassVar[str] = "token"
    id: str
    created_s: int
    name: str
    subject: Subject
    secret: str = field(repr=False)
    serialized: str = field(repr=False)
    is_invite: bool = False
    custom: Any = field(factory=dict)
    revoked: bool = False
    usage_limit: int | None = None
    usage_count: int = 0
    privileges: frozenset[str] | None = None
    unknown: Mapping[str, Any] = field(factory=dict, repr=False)

    def names(self) -> frozenset[tuple[str, str]]:
        """Return the unique names this record holds, as (directory, name)."""
        return frozenset({(f"tokens:{self.subject.kind}:{self.subject.id}", self.name)})


Record = User | Group | Space | Provider | NamedToken
R = TypeVar("R", User, Group, Space, Provider, NamedToken)

RECORD_KINDS: Final[Mapping[str, type[Record]]] = {
    kind.KIND: kind for kind in (User, Group, Space, Provider, NamedToken)
}


def record_key(kind: str, record_id: str) -> Key:
    """Return the key of the document that holds an entity."""
    return Key(f"{kind}:{record_id}")


def key_of(record: Record) -> Key:
    """Return the key of the document that holds ``record``."""
    return record_key(record.KIND, record.id)


def encode(record: Record) -> bytes:
    """Return the stored form: a msgpack map with the schema number under ``schema``."""
    plain = _converter.unstructure(record)
    unknown = plain.pop("unknown")
    return bytes(msgpack.packb({**unknown, **plain, "schema": SCHEMA}))


def decode(key: Key, data: bytes) -> Record:
    """Read a stored record.

    Raises:
        UnreadableRecord: the key names no kind we know, or the data does not fit it.
    """
    kind = RECORD_KINDS.get(key.partition(":")[0])
    if kind is None:
        raise UnreadableRecord(key)
    try:
        plain = msgpack.unpackb(data)
        if plain.pop("schema") > SCHEMA:
            raise UnreadableRecord(f"{key} was written by a newer release")
        known = {attribute.name for attribute in fields(kind)}
        record: Record = _converter.structure({k: v for k, v in plain.items() if k in known}, kind)
    except UnreadableRecord:
        raise
    except Exception as exc:
        raise UnreadableRecord(f"{key}: {exc}") from exc
    return evolve(record, unknown={k: v for k, v in plain.items() if k not in known})


def with_member(members: Members, member_id: str, privileges: frozenset[str]) -> Members:
    """Return ``members`` with one more, or with other privileges."""
    return {**members, member_id: privileges}


def without_member(members: Members, member_id: str) -> Members:
    """Return ``members`` without one."""
    return {key: value for key, value in members.items() if key != member_id}


def _make_converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook_func(
        lambda kind: getattr(kind, "__origin__", None) is frozenset or kind is frozenset, sorted
    )
    return converter


_converter = _make_converter()

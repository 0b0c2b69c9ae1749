"""Messages that open, keep and end a link, and the two replies any request may get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from attrs import frozen

from cluster_worker.wire.fields import BadField, Fields, Payload


class Role(StrEnum):
    """What kind of node speaks."""

    MANAGER = "manager"
    WORKER = "worker"
    OPERATOR = "operator"
    """A person or program that asks a manager for something; its node name begins with ``operator@``."""


OPERATOR_PREFIX = "operator@"


@frozen
class VersionRange:
    """The protocol versions a node speaks, both ends included."""

    low: int
    high: int

    def agree(self, other: VersionRange) -> int | None:
        """The highest version both speak, or ``None``."""
        best = min(self.high, other.high)
        return best if best >= max(self.low, other.low) else None

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


@frozen
class Hello:
    """``[low, high, [capability…], role, node, app, release, boot id]``, the first frame of each side.

    The layout is the same in every protocol version. ``boot id`` differs for each start of a node.
    """

    TYPE: ClassVar[int] = 1
    versions: VersionRange
    capabilities: frozenset[str]
    role: Role
    node: str
    app: str
    release: str
    boot_id: str

    def encode(self) -> list[object]:
        return [
            self.versions.low,
            self.versions.high,
            sorted(self.capabilities),
            self.role.value,
            self.node,
            self.app,
            self.release,
            self.boot_id,
        ]

    @classmethod
    def decode(cls, fields: Fields) -> Hello:
        versions = VersionRange(fields.integer(0), fields.integer(1))
        if versions.low > versions.high:
            raise BadField("the version range is empty")
        try:
            role = Role(fields.text(3))
        except ValueError as problem:
            raise BadField(str(problem)) from problem
        names = (fields.text(4), fields.text(5), fields.text(6), fields.text(7))
        return cls(versions, frozenset(fields.texts(2)), role, *names)


@frozen
class Reject:
    """``[code, description, our low, our high, your low, your high]``, instead of opening the link.

    The layout is the same in every protocol version. Codes: ``version``, ``identity``, ``role``, ``node``.
    """

    TYPE: ClassVar[int] = 2
    code: str
    description: str
    ours: VersionRange
    yours: VersionRange

    def encode(self) -> list[object]:
        return [self.code, self.description, self.ours.low, self.ours.high, self.yours.low, self.yours.high]

    @classmethod
    def decode(cls, fields: Fields) -> Reject:
        ours = VersionRange(fields.integer(2), fields.integer(3))
        return cls(fields.text(0), fields.text(1), ours, VersionRange(fields.integer(4), fields.integer(5)))


@frozen
class Ping:
    """``[]``, asks for a ``Pong``; any bytes from the peer show that it lives."""

    TYPE: ClassVar[int] = 3

    def encode(self) -> list[object]:
        return []

    @classmethod
    def decode(cls, fields: Fields) -> Ping:
        return cls()


@frozen
class Goodbye:
    """``[reason]``, the sender closes the link next."""

    TYPE: ClassVar[int] = 4
    reason: str

    def encode(self) -> list[object]:
        return [self.reason]

    @classmethod
    def decode(cls, fields: Fields) -> Goodbye:
        return cls(fields.text(0))


@frozen
class Pong:
    """``[]``, the reply to ``Ping``."""

    TYPE: ClassVar[int] = 130

    def encode(self) -> list[object]:
        return []

    @classmethod
    def decode(cls, fields: Fields) -> Pong:
        return cls()


@frozen
class Result:
    """``[payload]``, the reply to a request that succeeded."""

    TYPE: ClassVar[int] = 128
    payload: Payload

    def encode(self) -> list[object]:
        return [self.payload]

    @classmethod
    def decode(cls, fields: Fields) -> Result:
        return cls(fields.any(0))


@frozen
class Failed:
    """``[code, description, details or nil]``, the reply to a request that did not succeed.

    ``details`` is a map; for the code ``onedata`` it is the error's JSON form.
    """

    TYPE: ClassVar[int] = 129
    code: str
    description: str
    details: Mapping[str, Payload] | None = None

    def encode(self) -> list[object]:
        return [self.code, self.description, self.details]

    @classmethod
    def decode(cls, fields: Fields) -> Failed:
        return cls(fields.text(0), fields.text(1), fields.text_map(2))

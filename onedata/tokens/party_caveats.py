"""Caveats on who may use a token, with which services, and for which operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Self

from attrs import field, frozen
from attrs.validators import min_len

from onedata.errors import BadGRI
from onedata.gri import Gri, GriPattern
from onedata.tokens.caveat_forms import Caveat, WhitelistCaveat, need
from onedata.tokens.subjects import Service, ServiceKind, Subject, SubjectKind, service_code, service_kind


@frozen
class IdentityScopeCaveat(Caveat):
    """``authorization = none``, deprecated: turns an access token into an identity token."""

    name: ClassVar[str] = "authorization"

    @property
    def text(self) -> str:
        """``authorization = none``."""
        return "authorization = none"

    def to_json(self) -> dict[str, object]:
        """``{"scope": "identityToken"}``: the one caveat without a type."""
        return {"scope": "identityToken"}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read ``= none``."""
        need((operator, body) == ("=", "none"))
        return cls()

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"scope": "identityToken"}``."""
        need(body == {"scope": "identityToken"})
        return cls()


@frozen
class ServiceCaveat(WhitelistCaveat):
    """``service = opw-<id>|ozw-onezone``: with these services; ``*`` stands for every cluster."""

    name: ClassVar[str] = "service"

    whitelist: tuple[Service, ...] = field(validator=min_len(1))

    def written(self) -> list[str]:
        """The services, as ``opw-<id>``."""
        return [service.text for service in self.whitelist]

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read services."""
        return cls(tuple(map(Service.parse, items)))


def _need_no_nobody(instance: object, attribute: object, whitelist: tuple[Subject, ...]) -> None:
    need(all(subject.kind is not SubjectKind.NOBODY for subject in whitelist))


@frozen
class ConsumerCaveat(WhitelistCaveat):
    """``consumer = usr-<id>|grp-<id>|prv-<id>``: by these subjects or members; ``*`` stands for every id."""

    name: ClassVar[str] = "consumer"

    whitelist: tuple[Subject, ...] = field(validator=[min_len(1), _need_no_nobody])

    def written(self) -> list[str]:
        """The subjects, as ``usr-<id>``."""
        return [subject.text for subject in self.whitelist]

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read subjects."""
        return cls(tuple(map(Subject.parse, items)))


class Operation(StrEnum):
    """The operations of the logic behind REST and Graph Sync."""

    CREATE = "create"
    GET = "get"
    UPDATE = "update"
    DELETE = "delete"


_ALL = "all"


@frozen
class ApiRule:
    """One allowed kind of operation; None stands for every service or operation."""

    service: ServiceKind | None
    operation: Operation | None
    resource: GriPattern

    @property
    def text(self) -> str:
        """``<service>/<operation>/<GRI pattern>``."""
        service = _ALL if self.service is None else service_code(self.service)
        operation = _ALL if self.operation is None else self.operation.value
        return f"{service}/{operation}/{self.resource.text}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form; raises ValueError when it is not one."""
        service, operation, resource = text.split("/", 2)
        try:
            pattern = GriPattern.parse(resource)
        except BadGRI as bad:
            raise ValueError("bad GRI pattern") from bad
        return cls(
            None if service == _ALL else service_kind(service),
            None if operation == _ALL else Operation(operation),
            pattern,
        )

    def allows(self, service: ServiceKind, operation: Operation, resource: Gri) -> bool:
        """Whether the rule covers this operation."""
        return (
            self.service in (None, service)
            and self.operation in (None, operation)
            and self.resource.matches(resource)
        )


@frozen
class ApiCaveat(WhitelistCaveat):
    """``api = all/get/*.*.*:*``: for these operations."""

    name: ClassVar[str] = "api"

    whitelist: tuple[ApiRule, ...] = field(validator=min_len(1))

    def written(self) -> list[str]:
        """The rules."""
        return [rule.text for rule in self.whitelist]

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read rules."""
        return cls(tuple(map(ApiRule.parse, items)))

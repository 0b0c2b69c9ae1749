"""Protocol errors of Graph Sync and of version negotiation."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define

from onedata.errors.base import OnedataError


class ExpectedHandshakeMessage(OnedataError):
    text: ClassVar[str] = "Expected a handshake message."


class HandshakeAlreadyDone(OnedataError):
    text: ClassVar[str] = "The handshake has been done already."


@define(slots=False)
class BadVersion(OnedataError):
    text: ClassVar[str] = "Bad version; supported versions: {supported_versions}."

    supported_versions: Collection[object]


class BadGRI(OnedataError):
    text: ClassVar[str] = "The GRI could not be understood."


class RpcUndefined(OnedataError):
    text: ClassVar[str] = "There is no such remote function."


class NotSubscribable(OnedataError):
    text: ClassVar[str] = "The resource does not allow subscriptions."

"""What can go wrong between two nodes: a bad frame costs the link, a bad request only itself."""

from __future__ import annotations

from collections.abc import Mapping


class WireError(Exception):
    """Root of everything this package raises."""


class BadFrame(WireError):
    """The peer broke the protocol; nothing after this can be trusted and the link is dropped."""


class FrameTooLarge(BadFrame):
    """A frame announces more bytes than the limit; it was refused before it was buffered."""


class BadRequest(WireError):
    """One request is wrong or cannot be sent; the link and its other requests go on."""


class LinkClosed(WireError):
    """The link ended, or could not be opened; whether a pending request was executed is unknown."""


class LinkBusy(WireError):
    """More requests wait for replies than the link allows; try again when some have ended."""


class RequestTimedOut(WireError):
    """No reply came before the deadline; whether the request was executed is unknown."""


class RemoteFailure(WireError):
    """The peer answered a request with an error.

    Attributes:
        code: a stable word, such as ``badRequest``, ``overloaded`` or ``internal``.
        details: what the code promises, or nothing.
    """

    def __init__(self, code: str, description: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.details = code, description, details

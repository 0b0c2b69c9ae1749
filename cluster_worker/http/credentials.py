"""Who asks, as the request's headers tell it. Nothing is verified here."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


@frozen
class BasicCredentials:
    """A user name and its password, from ``Authorization: Basic``."""

    username: str
    password: str = field(repr=False)


def token_from(request: StreamingRequest) -> str | None:
    """Return the access token: ``X-Auth-Token``, else ``Authorization: Bearer``, else ``Macaroon``."""
    headers = request.requestHeaders
    if values := headers.getRawHeaders(b"X-Auth-Token"):
        return _text(values[-1])
    if (bearer := _authorization(request, b"bearer")) is not None:
        return _text(bearer)
    if values := headers.getRawHeaders(b"Macaroon"):
        return _text(values[-1])
    return None


def basic_from(request: StreamingRequest) -> BasicCredentials | None:
    """Return the credentials of ``Authorization: Basic``; ``None`` when absent or not decodable."""
    encoded = _authorization(request, b"basic")
    if encoded is None:
        return None
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return BasicCredentials(username, password) if colon else None


def consumer_token_from(request: StreamingRequest) -> str | None:
    """Return the identity token of who uses the access token (``X-Onedata-Consumer-Token``)."""
    return _header(request, b"X-Onedata-Consumer-Token")


def service_token_from(request: StreamingRequest) -> str | None:
    """Return the token of the service that the request passes through (``X-Onedata-Service-Token``)."""
    return _header(request, b"X-Onedata-Service-Token")


def peer_ip(request: StreamingRequest) -> str | None:
    """Return the client's address as text; ``None`` when it came over something without addresses."""
    host: str | None = getattr(request.client, "host", None)
    return host


def _authorization(request: StreamingRequest, scheme: bytes) -> bytes | None:
    values = request.requestHeaders.getRawHeaders(b"Authorization")
    if not values:
        return None
    name, _, rest = values[-1].partition(b" ")
    return rest.strip() if name.lower() == scheme else None


def _header(request: StreamingRequest, name: bytes) -> str | None:
    values = request.requestHeaders.getRawHeaders(name)
    return _text(values[-1]) if values else None


def _text(value: bytes) -> str:
    return value.decode("latin-1")

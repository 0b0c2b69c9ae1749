"""Who asks a storage behind an HTTP server: the header that says so, and until when. Pure."""

from __future__ import annotations

import errno
from base64 import b64encode
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from op_worker.storage.helper import StorageError
from op_worker.storage.types import BadStorageError, Kind, Parameter, Parameters

TYPES = ("none", "basic", "token", "oauth2")
ARGUMENTS: Sequence[Parameter] = (
    Parameter(name="endpoint"),
    Parameter(name="oauth2IdP", is_optional=True),
    Parameter(name="verifyServerCertificate", kind=Kind.BOOLEAN, default="true"),
    Parameter(name="authorizationHeader", default="Authorization: Bearer {}"),
    Parameter(name="connectionPoolSize", kind=Kind.INTEGER, default="10", minimum=1),
    Parameter(name="fileMode", kind=Kind.OCTAL, default="0664"),
)
"""What all storages behind an HTTP server are told."""
CREDENTIALS: Sequence[Parameter] = (
    Parameter(name="credentialsType", choices=TYPES),
    Parameter(name="credentials", is_optional=True, is_secret=True),
    Parameter(name="adminId", is_optional=True),
    Parameter(name="onedataAccessToken", is_optional=True, is_secret=True),
    Parameter(name="accessToken", is_optional=True, is_secret=True),
    Parameter(name="accessTokenTTL", kind=Kind.INTEGER, is_optional=True),
)


@frozen
class Authorization:
    """The header that says who asks; ``name`` is empty when nobody is named.

    ``expires_at_s`` is in seconds of the clock that ``headers`` is asked with; ``None`` is never.
    """

    name: str = ""
    value: str = field(default="", repr=False)
    expires_at_s: float | None = None

    def headers(self, now_s: float) -> Mapping[str, str]:
        """Return the headers to send. Raises: StorageError(EKEYEXPIRED)."""
        if self.expires_at_s is not None and now_s >= self.expires_at_s:
            raise StorageError(errno.EKEYEXPIRED, "", "the access token has expired")
        return {self.name: self.value} if self.name else {}


def authorization(given: Mapping[str, str], template: str, now_s: float) -> Authorization:
    """Return the header for credentials that were given at ``now_s``. Raises: BadStorageError."""
    match given.get("credentialsType", ""):
        case "none":
            return Authorization()
        case "basic":
            pair = _required(given, "credentials")
            if ":" not in pair:
                raise BadStorageError("credentials of type basic are user:password")
            return Authorization("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        case "token":
            return _filled(template, _required(given, "credentials"), None)
        case "oauth2":
            ttl = given.get("accessTokenTTL")
            expires_at_s = None if not ttl else now_s + int(ttl)
            return _filled(template, _required(given, "accessToken"), expires_at_s)
    raise BadStorageError(f"credentialsType must be one of {', '.join(TYPES)}")


def authorization_of(parameters: Parameters, now_s: float) -> Authorization:
    """The same for the credentials of the storage itself."""
    return authorization(parameters.credentials, parameters.text("authorizationHeader"), now_s)


def _required(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise BadStorageError(f"credentials of type {given['credentialsType']} need {name}")
    if any(character in value for character in "\r\n\0"):
        raise BadStorageError(f"{name} must be a single line")
    return value


def _filled(template: str, token: str, expires_at_s: float | None) -> Authorization:
    name, colon, value = template.partition(":")
    if not colon or "{}" not in value or not name.strip() or any(each in template for each in "\r\n\0"):
        raise BadStorageError("authorizationHeader must look like 'Authorization: Bearer {}'")
    return Authorization(name.strip(), value.strip().replace("{}", token), expires_at_s)

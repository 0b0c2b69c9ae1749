"""Values of request bodies: what a name, an e-mail address or a size may look like. Pure.

Booleans are strict; numbers may come as numeric strings; ``null`` is the same as absent.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from onedata.errors import (
    BadValueBoolean,
    BadValueDomain,
    BadValueEmail,
    BadValueEmpty,
    BadValueFloat,
    BadValueFullName,
    BadValueInteger,
    BadValueIPv4Address,
    BadValueJSON,
    BadValueListNotAllowed,
    BadValueListOfIPv4Addresses,
    BadValueListOfStrings,
    BadValueName,
    BadValueNotAllowed,
    BadValueNotInRange,
    BadValuePassword,
    BadValueString,
    BadValueSubdomain,
    BadValueTextTooLarge,
    BadValueTooLow,
    BadValueUsername,
    MissingAtLeastOneValue,
    MissingRequiredValue,
)
from onedata.tokens.caveats import Caveat, caveat_from_json

LONGEST_TEXT: Final = 100_000
LARGEST_JSON_B: Final = 65536
GROUP_TYPES: Final = ("organization", "unit", "team", "role_holders")

_NAME = re.compile(r"[\w()][\w() .\-]{0,126}[\w()]")
_FULL_NAME = re.compile(r"[^\W_](?:[^\W_]|[ ',.\-]){0,126}(?:[^\W_]|\.)")
_USERNAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._\-]{0,30}[a-zA-Z0-9]")
_LABEL = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")
_SUBDOMAIN = re.compile(_LABEL)
_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9\-.]{0,250}[a-zA-Z0-9])?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_ID = re.compile(r"[A-Za-z0-9_\-]{1,128}")


def is_name(text: str) -> bool:
    """Whether ``text`` may name a space, group, token or provider."""
    return _NAME.fullmatch(text) is not None


class Body:
    """The JSON object of a request, read key by key; every reader raises a typed error of the catalogue.

    Readers without ``default`` demand the key; with it, they return the default when it is absent.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {key: value for key, value in values.items() if value is not None}
        self._nulls = values.keys() - self._values.keys()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def is_null(self, key: str) -> bool:
        """Whether the key is there with ``null``, where that differs from absent."""
        return key in self._nulls

    def require_any(self, *keys: str) -> None:
        """Demand at least one of ``keys``. Raises: MissingAtLeastOneValue."""
        if not any(key in self._values for key in keys):
            raise MissingAtLeastOneValue(sorted(keys))

    def raw(self, key: str) -> object:
        """Return any value. Raises: MissingRequiredValue."""
        if key not in self._values:
            raise MissingRequiredValue(key)
        return self._values[key]

    def string(self, key: str, *, limit: int = LONGEST_TEXT) -> str:
        """Return a string, empty or not. Raises: BadValueString, BadValueTextTooLarge."""
        value = self.raw(key)
        if not isinstance(value, str) or not _is_unicode(value):
            raise BadValueString(key)
        if len(value) > limit:
            raise BadValueTextTooLarge(key, limit)
        return value

    def text(self, key: str, *, limit: int = LONGEST_TEXT) -> str:
        """Return a non-empty string. Raises: as ``string``, BadValueEmpty."""
        value = self.string(key, limit=limit)
        if not value:
            raise BadValueEmpty(key)
        return value

    def name(self, key: str = "name") -> str:
        """Return an entity's name. Raises: BadValueString, BadValueName."""
        value = self.string(key)
        if not is_name(value):
            raise BadValueName(key)
        return value

    def full_name(self, key: str = "fullName") -> str:
        """Return a person's full name. Raises: BadValueFullName."""
        return self._matching(key, _FULL_NAME, BadValueFullName)

    def username(self, key: str = "username") -> str:
        """Return a user name. Raises: BadValueUsername."""
        return self._matching(key, _USERNAME, BadValueUsername)

    def email(self, key: str) -> str:
        """Return an e-mail address. Raises: BadValueEmail."""
        return self._matching(key, _EMAIL, BadValueEmail)

    def domain(self, key: str = "domain") -> str:
        """Return a domain, possibly with a port. Raises: BadValueDomain."""
        value = self._matching(key, _DOMAIN, BadValueDomain)
        if len(value) > 253:
            raise BadValueDomain()
        return value

    def subdomain(self, key: str = "subdomain") -> str:
        """Return one label of a domain. Raises: BadValueSubdomain."""
        return self._matching(key, _SUBDOMAIN, BadValueSubdomain)

    def entity_id(self, key: str) -> str:
        """Return an id chosen by the caller. Raises: BadValueString."""
        value = self.string(key)
        if not _ID.fullmatch(value):
            raise BadValueString(key)
        return value

    def password(self, key: str) -> str:
        """Return a new password. Raises: BadValuePassword."""
        value = self.string(key, limit=1024)
        if len(value) < 8:
            raise BadValuePassword()
        return value

    def boolean(self, key: str) -> bool:
        """Return a JSON boolean. Raises: BadValueBoolean."""
        value = self.raw(key)
        if not isinstance(value, bool):
            raise BadValueBoolean(key)
        return value

    def integer(self, key: str, *, low: int) -> int:
        """Return an integer of at least ``low``. Raises: BadValueInteger, BadValueTooLow."""
        value = self.raw(key)
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
            raise BadValueInteger(key)
        if value < low:
            raise BadValueTooLow(key, low)
        return value

    def number(self, key: str, *, low: float, high: float) -> float:
        """Return a number in a range. Raises: BadValueFloat, BadValueNotInRange."""
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise BadValueFloat(key)
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise BadValueFloat(key) from None
        if not math.isfinite(number):
            raise BadValueFloat(key)
        if not low <= number <= high:
            raise BadValueNotInRange(key, low, high)
        return number

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Return one of ``allowed``. Raises: BadValueString, BadValueNotAllowed."""
        value = self.string(key)
        if value not in allowed:
            raise BadValueNotAllowed(key, list(allowed))
        return value

    def strings(self, key: str) -> list[str]:
        """Return a list of strings. Raises: BadValueListOfStrings."""
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadValueListOfStrings(key)
        return value

    def privileges(self, key: str, allowed: Collection[str]) -> frozenset[str]:
        """Return a set of privileges. Raises: BadValueListOfStrings, BadValueListNotAllowed."""
        value = frozenset(self.strings(key))
        if not value <= frozenset(allowed):
            raise BadValueListNotAllowed(key, sorted(allowed))
        return value

    def json_object(self, key: str) -> Mapping[str, object]:
        """Return a JSON object of modest size. Raises: BadValueJSON, BadValueTextTooLarge."""
        value = self.raw(key)
        if not isinstance(value, dict):
            raise BadValueJSON(key)
        if len(json.dumps(value)) > LARGEST_JSON_B:
            raise BadValueTextTooLarge(key, LARGEST_JSON_B)
        return value

    def ipv4(self, key: str) -> str:
        """Return an address. Raises: BadValueIPv4Address."""
        value = self.raw(key)
        if not _is_ipv4(value):
            raise BadValueIPv4Address(key)
        return str(value)

    def ipv4_list(self, key: str) -> tuple[str, ...]:
        """Return addresses. Raises: BadValueListOfIPv4Addresses."""
        value = self.raw(key)
        if not isinstance(value, list) or not all(_is_ipv4(item) for item in value):
            raise BadValueListOfIPv4Addresses(key)
        return tuple(value)

    def _matching(self, key: str, pattern: re.Pattern[str], error: Callable[[], Exception]) -> str:
        value = self.string(key)
        if not pattern.fullmatch(value):
            raise error()
        return value


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _is_ipv4(value: object) -> bool:
    try:
        ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def caveats_from(body: Body, key: str = "caveats") -> list[Caveat]:
    """Return the caveats of a body, given in their JSON form. Raises: BadValueCaveat, BadValueJSON."""
    value = body.raw(key)
    if not isinstance(value, list):
        raise BadValueJSON(key)
    return [caveat_from_json(item) for item in value]


def granted_and_revoked(body: Body, known: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a change of privileges grants and revokes; at least one of them must be there."""
    body.require_any("grant", "revoke")
    grant = body.privileges("grant", known) if "grant" in body else frozenset()
    revoke = body.privileges("revoke", known) if "revoke" in body else frozenset()
    return grant, revoke

"""Tokens that the zone once vouched for, so that it need not be asked about them again. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator

from attrs import define, field

from onedata.errors import OnedataError
from onedata.ids import UserId
from onedata.tokens.identifier import TokenIdentifier
from onedata.tokens.token import Token
from onedata.tokens.verify import valid_until

_SCHEMA = 1


@define(eq=False)
class VerifiedToken:
    """A genuine token of a user.

    ``verified_at_s`` is seconds of the clock; ``is_checking`` is set while the zone is asked again.
    """

    token: Token = field(repr=False)
    user_id: UserId
    verified_at_s: float
    is_checking: bool = False

    @property
    def digest(self) -> str:
        """What the token is kept under."""
        return digest_of(self.token)


class VerifiedTokens:
    """The newest ``most`` verified tokens, found by what they or their confined forms say of themselves."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_digest: OrderedDict[str, VerifiedToken] = OrderedDict()
        self._by_identifier: dict[str, list[VerifiedToken]] = {}

    def __len__(self) -> int:
        return len(self._by_digest)

    def __iter__(self) -> Iterator[VerifiedToken]:
        return iter(list(self._by_digest.values()))

    def add(self, verified: VerifiedToken) -> list[VerifiedToken]:
        """Remember a token; return those that had to go for it."""
        self.discard(self._by_digest.get(verified.digest))
        self._by_digest[verified.digest] = verified
        self._by_identifier.setdefault(verified.token.identifier.text, []).append(verified)
        dropped = []
        while len(self._by_digest) > self._most:
            oldest = next(iter(self._by_digest.values()))
            self.discard(oldest)
            dropped.append(oldest)
        return dropped

    def discard(self, verified: VerifiedToken | None) -> None:
        """Forget a token."""
        if verified is None or self._by_digest.pop(verified.digest, None) is None:
            return
        identifier = verified.token.identifier.text
        siblings = self._by_identifier[identifier]
        siblings[:] = [each for each in siblings if each is not verified and each.digest != verified.digest]
        if not siblings:
            del self._by_identifier[identifier]

    def find(self, token: Token) -> VerifiedToken | None:
        """Return the verified token that ``token`` is, or was confined from."""
        for verified in self._by_identifier.get(token.identifier.text, ()):
            if token.extends(verified.token):
                return verified
        return None


def digest_of(token: Token) -> str:
    """Return the SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.serialize().encode()).hexdigest()


def encode_verified(verified: VerifiedToken) -> bytes:
    """Return the stored form. It is as secret as the token: its signature lets tokens be recognised."""
    token = verified.token
    return json.dumps(
        {
            "schema": _SCHEMA,
            "user": verified.user_id,
            "location": token.location,
            "identifier": token.identifier.text,
            "caveats": token.caveat_texts,
            "signature": token.signature.hex(),
        }
    ).encode()


def decode_verified(data: bytes, *, now_s: float, verified_at_s: float) -> VerifiedToken | None:
    """Read the stored form; ``None`` when the token has ended by ``now_s`` (epoch) or cannot be read."""
    try:
        stored = json.loads(data)
        token = Token(
            stored["location"],
            TokenIdentifier.parse(stored["identifier"]),
            tuple(stored["caveats"]),
            bytes.fromhex(stored["signature"]),
        )
        end_s = valid_until(token.caveats)
        user_id, schema = UserId(stored["user"]), stored["schema"]
    except (KeyError, TypeError, ValueError, OnedataError):
        return None
    if schema != _SCHEMA or (end_s is not None and end_s <= now_s):
        return None
    return VerifiedToken(token, user_id, verified_at_s)

"""A token: a macaroon with Onedata's identifier and caveats."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, field, frozen

from onedata.errors import BadToken, BadValueCaveat, TokenTooLarge
from onedata.tokens.caveats import Caveat, parse_caveat
from onedata.tokens.encoding import Packet, decode_packets, encode_packets
from onedata.tokens.identifier import TokenIdentifier
from onedata.tokens.signature import SIGNATURE_B, extended_signature, root_signature, same_signature

MAX_TOKEN_B = 1024 * 1024
"""The longest serialised token that is looked at."""

MAX_CAVEAT_B = 65_000
"""The longest caveat that fits into a token."""

_SERVICE_PREFIXES = ("opw-", "opp-")


@frozen
class Token:
    """A signed statement of a zone, narrowed by caveats.

    Reading one proves nothing: see ``has_valid_signature`` and ``onedata.tokens.verify``. The signature makes
    the token usable, so it stays out of ``repr``. The location, the domain of the zone, is not signed.
    """

    location: str
    identifier: TokenIdentifier
    caveat_texts: tuple[str, ...]
    signature: bytes = field(repr=False)

    @classmethod
    def mint(
        cls, location: str, identifier: TokenIdentifier, secret: str, caveats: Iterable[Caveat] = ()
    ) -> Token:
        """Make a token. The secret is a text, in Onedata 64 hex digits."""
        bare = cls(location, identifier, (), root_signature(secret, identifier.text))
        return bare.confine(caveats)

    @classmethod
    def deserialize(cls, text: str) -> Token:
        """Read a serialised token, with or without the prefix of a service (``opw-``, ``opp-``).

        Raises:
            TokenTooLarge: it is longer than ``MAX_TOKEN_B``.
            BadToken: it is not a token.
        """
        if len(text) > MAX_TOKEN_B:
            raise TokenTooLarge(MAX_TOKEN_B)
        if text.startswith(_SERVICE_PREFIXES):
            text = text[4:]
        try:
            return cls._from_packets(decode_packets(text))
        except ValueError as bad:
            raise BadToken() from bad

    @classmethod
    def _from_packets(cls, packets: list[Packet]) -> Token:
        keys = [key for key, _ in packets]
        if keys != ["location", "identifier", *["cid"] * (len(keys) - 3), "signature"]:
            raise ValueError("unexpected packets")
        location, identifier, *caveats = (value.decode() for _, value in packets[:-1])
        signature = packets[-1][1]
        if len(signature) != SIGNATURE_B:
            raise ValueError("bad length of the signature")
        return cls(location, TokenIdentifier.parse(identifier), tuple(caveats), signature)

    def serialize(self) -> str:
        """The alphanumeric text that travels in headers; the inverse of ``deserialize``."""
        packets = [("location", self.location.encode()), ("identifier", self.identifier.text.encode())]
        packets += [("cid", caveat.encode()) for caveat in self.caveat_texts]
        return encode_packets([*packets, ("signature", self.signature)])

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """The caveats, parsed anew at each call.

        Raises:
            TokenCaveatUnknown: one of them is not known here, so the token must be refused.
        """
        return tuple(map(parse_caveat, self.caveat_texts))

    def confine(self, caveats: Iterable[Caveat]) -> Token:
        """The same token with more caveats; needs no secret and no zone.

        Raises:
            BadValueCaveat: a caveat is longer than ``MAX_CAVEAT_B``.
        """
        added = tuple(map(_signable, caveats))
        return evolve(
            self,
            caveat_texts=self.caveat_texts + added,
            signature=extended_signature(self.signature, added),
        )

    def has_valid_signature(self, secret: str) -> bool:
        """Whether the token was minted with this secret and only confined since; in constant time."""
        expected = extended_signature(root_signature(secret, self.identifier.text), self.caveat_texts)
        return same_signature(expected, self.signature)

    def extends(self, other: Token) -> bool:
        """Whether this token is ``other``, possibly with caveats appended.

        Who knows ``other`` to be genuine thus knows this one to be genuine, without the secret.
        """
        known = len(other.caveat_texts)
        if (self.location, self.identifier, self.caveat_texts[:known]) != (
            other.location,
            other.identifier,
            other.caveat_texts,
        ):
            return False
        expected = extended_signature(other.signature, self.caveat_texts[known:])
        return same_signature(expected, self.signature)


def _signable(caveat: Caveat) -> str:
    text = caveat.text
    if len(text.encode()) > MAX_CAVEAT_B:
        raise BadValueCaveat(caveat.to_json())
    return text

"""The identifier of a token: how it is kept, whose it is, what it is for, and which one it is.

Written ``2/<persistence>/<subject>/<type>/<token id>``; tokens of old releases carry the token id alone.
"""

from __future__ import annotations

import re

from attrs import field, frozen

from onedata.ids import TokenId
from onedata.tokens.subjects import NOBODY, Subject, SubjectKind, is_plain_id
from onedata.tokens.types import AccessToken, TokenType, parse_token_type

_GENERATION = re.compile(r"tmp-(0|[1-9][0-9]{0,17})")
_NAMED = "nmd"


@frozen
class Persistence:
    """Named (``generation`` is None): kept in the zone one by one. Temporary: revoked by generation."""

    generation: int | None = None

    @property
    def name(self) -> str:
        """``named`` or ``temporary``, as in JSON."""
        return "named" if self.generation is None else "temporary"

    @property
    def text(self) -> str:
        """``nmd`` or ``tmp-<generation>``."""
        return _NAMED if self.generation is None else f"tmp-{self.generation}"

    @classmethod
    def parse(cls, text: str) -> Persistence:
        """Read the text form; raises ValueError when it is not one."""
        if text == _NAMED:
            return NAMED
        match = _GENERATION.fullmatch(text)
        if match is None:
            raise ValueError("not a persistence")
        return cls(int(match[1]))


NAMED = Persistence()


@frozen
class TokenIdentifier:
    """What a token says of itself. In version 1 only ``token_id`` is known: a named access token."""

    persistence: Persistence
    subject: Subject
    type: TokenType
    token_id: TokenId = field()
    version: int = 2

    def __attrs_post_init__(self) -> None:
        if not is_plain_id(self.token_id):
            raise ValueError(f"not the id of a token: {self.token_id!r}")
        if self.version == 2 and self.subject.kind not in (SubjectKind.USER, SubjectKind.ONEPROVIDER):
            raise ValueError("tokens belong to users and providers")

    @property
    def text(self) -> str:
        """The form that is signed and serialised."""
        if self.version == 1:
            return self.token_id
        return f"2/{self.persistence.text}/{self.subject.text}/{self.type.text}/{self.token_id}"

    @classmethod
    def parse(cls, text: str) -> TokenIdentifier:
        """Read the text form; raises ValueError when it is not one."""
        if "/" not in text:
            return cls(NAMED, NOBODY, AccessToken(), TokenId(text), version=1)
        version, persistence, subject, token_type, token_id = text.split("/")
        if version != "2":
            raise ValueError("unknown version of the identifier")
        return cls(
            Persistence.parse(persistence),
            Subject.parse(subject),
            parse_token_type(token_type),
            TokenId(token_id),
        )

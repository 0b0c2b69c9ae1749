"""Access tokens prepared for many requests. Pure."""

from __future__ import annotations

from attrs import define

from onedata.errors import NotAnAccessToken, OnedataError, TokenCaveatUnverified, Unauthorized
from onedata.tokens.caveats import Caveat
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken
from onedata.tokens.verify import data_limits, effective_type
from op_worker.auth.caller import Caller
from op_worker.auth.operations import refuse_limited_operations
from op_worker.zone.verified import VerifiedToken


@define(eq=False)
class Hit:
    """A token known to be genuine; ``checked_version`` is what was known at its last check."""

    verified: VerifiedToken
    caveats: tuple[Caveat, ...]
    has_conditions: bool
    type: AccessToken
    caller: Caller
    checked_version: int = -1


def read_access_token(text: str) -> tuple[Token, tuple[Caveat, ...]]:
    """Return a token that claims to be an access token, and its caveats. Raises: Unauthorized."""
    try:
        token = Token.deserialize(text)
        caveats = token.caveats
    except OnedataError as error:
        raise Unauthorized(error) from None
    kind = effective_type(token.identifier.type, caveats)
    if not isinstance(kind, AccessToken):
        raise Unauthorized(NotAnAccessToken(kind.to_json()))
    return token, caveats


def hit_of(verified: VerifiedToken, token: Token, caveats: tuple[Caveat, ...]) -> Hit:
    """Prepare ``token``, which is ``verified`` or was confined from it. Raises: Unauthorized."""
    kind = token.identifier.type
    assert isinstance(kind, AccessToken)
    try:
        refuse_limited_operations(caveats)
    except TokenCaveatUnverified as error:
        raise Unauthorized(error) from None
    return Hit(
        verified,
        caveats,
        has_conditions=bool(caveats),
        type=kind,
        caller=Caller(
            user_id=verified.user_id,
            limits=data_limits(caveats),
            token_id=token.identifier.token_id,
            session_id=kind.session_id,
            caveats=caveats,
        ),
    )

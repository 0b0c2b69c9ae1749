"""Tokens, passwords and other proofs of who is asking."""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError


class UserBlocked(OnedataError):
    text: ClassVar[str] = "The user account is blocked; contact an administrator of Onezone."


class BadBasicCredentials(OnedataError):
    text: ClassVar[str] = "Invalid user name or password."


class BadToken(OnedataError):
    text: ClassVar[str] = "The token could not be understood."


class TokenInvalid(OnedataError):
    text: ClassVar[str] = "The token is not valid."


class TokenRevoked(OnedataError):
    text: ClassVar[str] = "The token has been revoked."


class TokenSubjectInvalid(OnedataError):
    text: ClassVar[str] = "The subject of the token does not exist or is not the expected one."


class TokenSessionInvalid(OnedataError):
    text: ClassVar[str] = "The token was issued for a session that is not the present one or has ended."


class InviteTokenSubjectNotAuthorized(OnedataError):
    text: ClassVar[str] = "The subject of the invite token is not allowed to invite to its target."


class InviteTokenUsageLimitReached(OnedataError):
    text: ClassVar[str] = "The invite token has been used as often as it may be."


@define(slots=False)
class BadIdpAccessToken(OnedataError):
    text: ClassVar[str] = "The access token of the identity provider {idp} is not valid."

    idp: str


@define(slots=False)
class BadServiceToken(OnedataError):
    text: ClassVar[str] = "The service token is not valid: {token_error}"

    token_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class BadConsumerToken(OnedataError):
    text: ClassVar[str] = "The consumer token is not valid: {token_error}"

    token_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class TokenTooLarge(OnedataError):
    text: ClassVar[str] = "The token is longer than {limit} bytes."

    limit: int


@define(slots=False)
class NotAnAccessToken(OnedataError):
    text: ClassVar[str] = "Expected an access token, received: {received}."

    received: object


@define(slots=False)
class NotAnIdentityToken(OnedataError):
    text: ClassVar[str] = "Expected an identity token, received: {received}."

    received: object


@define(slots=False)
class NotAnInviteToken(OnedataError):
    text: ClassVar[str] = "Expected an invite token of type {expected_invite_type}, received: {received}."

    expected_invite_type: str
    received: object


@define(slots=False)
class TokenCaveatUnknown(OnedataError):
    text: ClassVar[str] = "The token has a caveat that is not known here: {caveat}."

    caveat: str


@define(slots=False)
class TokenCaveatUnverified(OnedataError):
    text: ClassVar[str] = "A caveat of the token does not hold for this request: {caveat}."

    caveat: object


@define(slots=False)
class TokenTimeCaveatRequired(OnedataError):
    text: ClassVar[str] = "The token needs a time caveat of at most {max_ttl} seconds."

    max_ttl: int


@define(slots=False)
class TokenServiceForbidden(OnedataError):
    text: ClassVar[str] = "The token cannot be used with the service {service}."

    service: object


@define(slots=False)
class InviteTokenConsumerInvalid(OnedataError):
    text: ClassVar[str] = "The invite token cannot be consumed by {consumer}."

    consumer: object


@define(slots=False)
class InviteTokenTargetIdInvalid(OnedataError):
    text: ClassVar[str] = "The target of the invite token does not exist: {id_}."

    id_: str


class BasicAuthNotSupported(OnedataError):
    text: ClassVar[str] = "This Onezone does not support user names and passwords."


class BasicAuthDisabled(OnedataError):
    text: ClassVar[str] = "Signing in with a password is disabled for this user."

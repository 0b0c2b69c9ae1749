"""Tokens that the zone vouched for, and how they are kept."""

from __future__ import annotations

import json

from onedata.ids import TokenId, UserId
from onedata.tokens.caveats import parse_caveat
from onedata.tokens.identifier import NAMED, TokenIdentifier
from onedata.tokens.subjects import Subject
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken
from op_worker.zone.verified import VerifiedToken, VerifiedTokens, decode_verified, encode_verified


def token(name: str, *caveats: str, secret: str = "s") -> Token:
    identifier = TokenIdentifier(NAMED, Subject("user", "u1"), AccessToken(), TokenId(name))
    return Token.mint("zone.test", identifier, secret, map(parse_caveat, caveats))


def verified(name: str, *caveats: str) -> VerifiedToken:
    return VerifiedToken(token(name, *caveats), UserId("u1"), 5.0)


def test_verified_token_is_found_by_itself_and_by_confined_forms() -> None:
    tokens, known = VerifiedTokens(10), verified("t")
    tokens.add(known)
    assert tokens.find(token("t")) is known
    assert tokens.find(token("t").confine([parse_caveat("data.readonly")])) is known


def test_token_with_fewer_caveats_is_not_vouched_for() -> None:
    tokens = VerifiedTokens(10)
    tokens.add(verified("t", "data.readonly"))
    assert tokens.find(token("t")) is None


def test_token_signed_with_another_secret_is_not_found() -> None:
    tokens = VerifiedTokens(10)
    tokens.add(verified("t"))
    assert tokens.find(token("t", secret="forged")) is None


def test_oldest_tokens_go_when_there_are_too_many() -> None:
    tokens = VerifiedTokens(2)
    first = verified("a")
    tokens.add(first)
    tokens.add(verified("b"))
    assert tokens.add(verified("c")) == [first]
    assert len(tokens) == 2
    assert tokens.find(token("a")) is None


def test_token_added_twice_is_kept_once() -> None:
    tokens, newer = VerifiedTokens(10), verified("t")
    tokens.add(verified("t"))
    tokens.add(newer)
    assert list(tokens) == [newer]
    tokens.discard(newer)
    tokens.discard(newer)
    assert tokens.find(token("t")) is None


def test_stored_form_survives_a_round_trip() -> None:
    kept = verified("t", "time < 100", "data.readonly")
    read = decode_verified(encode_verified(kept), now_s=99.0, verified_at_s=1.0)
    assert read is not None
    assert (read.token, read.user_id, read.verified_at_s) == (kept.token, kept.user_id, 1.0)
    assert read.token.signature == kept.token.signature


def test_stored_token_that_has_ended_is_dropped() -> None:
    stored = encode_verified(verified("t", "time < 100"))
    assert decode_verified(stored, now_s=100.0, verified_at_s=1.0) is None


def test_stored_form_that_cannot_be_read_is_dropped() -> None:
    newer = json.loads(encode_verified(verified("t"))) | {"schema": 2}
    for data in (b"", b"{}", b"[]", json.dumps(newer).encode()):
        assert decode_verified(data, now_s=0.0, verified_at_s=0.0) is None


def test_signature_is_not_shown_by_repr() -> None:
    shown = repr(verified("t"))
    assert token("t").signature.hex() not in shown
    assert token("t").serialize() not in shown

"""Tokens: minting, reading, confining, and telling genuine ones from others."""

from __future__ import annotations

from binascii import hexlify

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymacaroons import Macaroon

from onedata.errors import BadToken, BadValueCaveat, BadValueTokenType, TokenCaveatUnknown, TokenTooLarge
from onedata.ids import TokenId
from onedata.tokens import (
    MAX_TOKEN_B,
    NAMED,
    NOBODY,
    AccessToken,
    Caveat,
    DataPathCaveat,
    DataReadonlyCaveat,
    IdentityToken,
    Interface,
    InterfaceCaveat,
    InviteToken,
    InviteType,
    Persistence,
    Service,
    Subject,
    SubjectKind,
    TimeCaveat,
    Token,
    TokenIdentifier,
    TokenType,
    token_type_from_json,
)
from onedata.tokens.encoding import BadEncoding, decode_packets, encode_packets
from onedata.tokens.types import parse_token_type

SECRET = "0123456789abcdef" * 4
ZONE = "onezone.example.com"
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
TYPES: st.SearchStrategy[TokenType] = st.one_of(
    st.builds(AccessToken, st.none() | IDS),
    st.builds(IdentityToken),
    st.builds(InviteToken, st.sampled_from(InviteType), IDS, st.sampled_from(["", "ge", "a:b"])),
)
SUBJECTS = st.builds(Subject, st.sampled_from([SubjectKind.USER, SubjectKind.ONEPROVIDER]), IDS)
IDENTIFIERS = st.builds(
    TokenIdentifier,
    st.just(NAMED) | st.builds(Persistence, st.integers(0, 10**17)),
    SUBJECTS,
    TYPES,
    IDS.map(TokenId),
)
CAVEATS = st.lists(
    st.builds(TimeCaveat, st.integers(0, 10**12))
    | st.builds(DataReadonlyCaveat)
    | st.builds(InterfaceCaveat, st.sampled_from(Interface)),
    max_size=4,
)
TOKENS = st.builds(Token.mint, st.just(ZONE), IDENTIFIERS, st.text(max_size=70), CAVEATS)


def _token(*caveats: Caveat, secret: str = SECRET) -> Token:
    identifier = TokenIdentifier(NAMED, Subject("user", "u1"), AccessToken(), TokenId("t1"))
    return Token.mint(ZONE, identifier, secret, caveats)


def _with_caveat_text(token: Token, text: str) -> Token:
    packets = decode_packets(token.serialize())
    return Token.deserialize(encode_packets([*packets[:-1], ("cid", text.encode()), packets[-1]]))


@given(TOKENS)
def test_token_survives_serialisation_and_stays_alphanumeric(token: Token) -> None:
    serialized = token.serialize()
    assert serialized.isascii()
    assert serialized.isalnum()
    assert Token.deserialize(serialized) == token


@given(IDENTIFIERS, st.text(min_size=1, max_size=70), CAVEATS)
def test_signature_is_that_of_an_independent_macaroon(
    identifier: TokenIdentifier, secret: str, caveats: list[Caveat]
) -> None:
    macaroon = Macaroon(location=ZONE, identifier=identifier.text, key=secret)
    for caveat in caveats:
        macaroon.add_first_party_caveat(caveat.text)
    assert hexlify(Token.mint(ZONE, identifier, secret, caveats).signature).decode() == macaroon.signature


@given(IDENTIFIERS)
def test_identifier_survives_its_written_form(identifier: TokenIdentifier) -> None:
    assert TokenIdentifier.parse(identifier.text) == identifier


@given(TYPES)
def test_token_type_survives_its_written_form(token_type: TokenType) -> None:
    assert parse_token_type(token_type.text) == token_type


@given(TYPES)
def test_token_type_survives_its_json_form(token_type: TokenType) -> None:
    read = token_type_from_json(token_type.to_json())
    assert read.to_json() == token_type.to_json()


@given(SUBJECTS | st.just(NOBODY))
def test_subject_survives_both_of_its_forms(subject: Subject) -> None:
    assert Subject.parse(subject.text) == subject
    assert Subject.from_json(subject.to_json()) == subject


def test_persistence_has_its_published_names() -> None:
    assert (NAMED.name, NAMED.text) == ("named", "nmd")
    assert (Persistence(49).name, Persistence(49).text) == ("temporary", "tmp-49")


def test_service_has_its_published_forms() -> None:
    service = Service.parse("opw-p1")
    assert service == Service("op_worker", "p1")
    assert service.to_json() == {"type": "op_worker", "id": "p1"}
    with pytest.raises(ValueError, match="not the id of a cluster"):
        Service("op_worker", "a|b")


def test_token_of_an_old_release_is_a_named_access_token() -> None:
    identifier = TokenIdentifier.parse("0f1e2d3c")
    assert identifier.version == 1
    assert (identifier.persistence, identifier.type, identifier.token_id) == (
        NAMED,
        AccessToken(),
        "0f1e2d3c",
    )
    token = Token.mint(ZONE, identifier, SECRET)
    assert Token.deserialize(token.serialize()).has_valid_signature(SECRET)


@pytest.mark.parametrize("prefix", ["opw-", "opp-"])
def test_prefix_of_a_service_is_stripped_from_a_token(prefix: str) -> None:
    assert Token.deserialize(prefix + _token().serialize()) == _token()


def test_signature_holds_for_the_right_secret_only() -> None:
    assert _token(TimeCaveat(1)).has_valid_signature(SECRET)
    assert not _token(TimeCaveat(1)).has_valid_signature(SECRET[:-1])


def test_confined_token_is_still_genuine_and_remembers_order() -> None:
    token = _token(TimeCaveat(1)).confine([DataReadonlyCaveat(), TimeCaveat(2)])
    assert token.has_valid_signature(SECRET)
    assert token.caveats == (TimeCaveat(1), DataReadonlyCaveat(), TimeCaveat(2))
    assert token == _token(TimeCaveat(1), DataReadonlyCaveat(), TimeCaveat(2))


@given(CAVEATS, st.data())
def test_removing_or_changing_a_caveat_breaks_the_signature(
    caveats: list[Caveat], data: st.DataObject
) -> None:
    token = _token(*caveats, TimeCaveat(5))
    packets = decode_packets(token.serialize())
    position = data.draw(st.integers(2, len(packets) - 2))
    removed = Token.deserialize(encode_packets(packets[:position] + packets[position + 1 :]))
    assert not removed.has_valid_signature(SECRET)
    packets[position] = ("cid", b"time < 99")
    assert not Token.deserialize(encode_packets(packets)).has_valid_signature(SECRET)


def test_caveat_too_long_for_a_packet_is_refused_at_once() -> None:
    with pytest.raises(BadValueCaveat):
        _token().confine([DataPathCaveat(("/s1/" + "a" * 60_000,))])


@given(CAVEATS, CAVEATS)
def test_confined_token_extends_the_one_it_came_from(first: list[Caveat], added: list[Caveat]) -> None:
    known = _token(*first)
    assert known.confine(added).extends(known)
    assert known.confine(added).confine(added).extends(known)


def test_token_does_not_extend_a_narrower_or_foreign_one() -> None:
    known = _token(TimeCaveat(1))
    assert not _token().extends(known)
    assert not _token(TimeCaveat(2)).extends(known)
    assert not _token(TimeCaveat(1), secret="other").extends(known)
    assert not _with_caveat_text(known, "data.readonly").extends(known)


def test_unknown_caveat_shows_when_caveats_are_read() -> None:
    token = _with_caveat_text(_token(), "moon = full")
    with pytest.raises(TokenCaveatUnknown):
        _ = token.caveats


def test_token_beyond_the_size_limit_is_refused() -> None:
    with pytest.raises(TokenTooLarge) as refused:
        Token.deserialize("a" * (MAX_TOKEN_B + 1))
    assert refused.value.details == {"limit": 1048576}


def test_printing_a_token_does_not_tell_its_signature() -> None:
    token = _token()
    assert repr(token.signature) not in repr(token)
    assert token.serialize() not in repr(token)


@given(st.text(max_size=60))
def test_any_text_as_a_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        Token.deserialize(text)


@given(st.binary(max_size=60), st.text(max_size=6), st.integers(0, 300))
def test_damaged_token_is_refused_or_not_genuine(junk: bytes, text: str, position: int) -> None:
    whole = _token(TimeCaveat(5)).serialize()
    for damaged in (
        whole[:position] + text + whole[position + len(text) :],
        whole[:position],
        encode_packets([("location", b"x"), ("identifier", junk), ("signature", b"s" * 32)]),
        encode_packets([("location", junk), ("identifier", b"t1"), ("signature", junk)]),
    ):
        try:
            token = Token.deserialize(damaged)
        except BadToken:
            continue
        assert (
            token == _token(TimeCaveat(5))
            or not token.has_valid_signature(SECRET)
            or (token.location != ZONE)
        )


@given(st.lists(st.tuples(st.from_regex("[a-z]{1,8}", fullmatch=True), st.binary(max_size=80)), max_size=5))
def test_packets_survive_their_encoding(packets: list[tuple[str, bytes]]) -> None:
    assert decode_packets(encode_packets(packets)) == packets


def test_value_too_long_for_a_packet_is_refused() -> None:
    with pytest.raises(BadEncoding):
        encode_packets([("cid", b"x" * 65536)])


@pytest.mark.parametrize(
    "packets",
    [
        [],
        [("location", b"x")],
        [("identifier", b"t1"), ("location", b"x"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"t1"), ("signature", b"short")],
        [("location", b"x"), ("identifier", b"t1"), ("cid", b"\xff"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"t1"), ("vid", b"third party"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"3/nmd/usr-u/act/t1"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/nmd/grp-u/act/t1"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/nmd/nobody/act/t1"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/tmp-007/usr-u/act/t1"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/nmd/usr-u/xyz:1:/t1"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/nmd/usr-u/act/"), ("signature", b"s" * 32)],
        [("location", b"x"), ("identifier", b"2/nmd/usr-u/act"), ("signature", b"s" * 32)],
    ],
)
def test_well_packed_nonsense_is_a_bad_token(packets: list[tuple[str, bytes]]) -> None:
    with pytest.raises(BadToken):
        Token.deserialize(encode_packets(packets))


@pytest.mark.parametrize("text", ["06", "0", "a0", "a-b", "YWJj", "MDAxMWxvY2F00aW9uIHgK"])
def test_texts_that_are_no_packets_are_refused(text: str) -> None:
    with pytest.raises(BadEncoding):
        decode_packets(text)


@pytest.mark.parametrize(
    "obj",
    [
        None,
        {},
        {"accessToken": None},
        {"accessToken": {}, "identityToken": {}},
        {"rootToken": {}},
        {"inviteToken": {}},
        {"inviteToken": {"inviteType": "userJoinSpace", "groupId": "g"}},
        {"inviteToken": {"inviteType": "userJoinSpace", "spaceId": 7}},
        {"accessToken": {"sessionId": "a/b"}},
    ],
)
def test_json_that_is_no_token_type_is_refused(obj: object) -> None:
    with pytest.raises(BadValueTokenType) as refused:
        token_type_from_json(obj)
    assert refused.value.details == {"key": "type"}


@pytest.mark.parametrize(
    "obj", [None, {}, {"type": "user"}, {"type": "nobody", "id": "x"}, {"type": "x", "id": "y"}]
)
def test_json_that_is_no_subject_is_refused(obj: object) -> None:
    with pytest.raises(ValueError, match="not"):
        Subject.from_json(obj)


@pytest.mark.parametrize("bad", ["", "a/b", "a|b", "a:b", "a b", "a\n", "\ud800"])
def test_ids_that_would_break_the_format_cannot_be_put_in(bad: str) -> None:
    with pytest.raises(ValueError, match="not the id"):
        Subject("user", bad)
    with pytest.raises(ValueError, match="not the id"):
        TokenIdentifier(NAMED, Subject("user", "u1"), AccessToken(), TokenId(bad))
    with pytest.raises(ValueError, match="not an id"):
        AccessToken(bad)

"""Which caveats hold under which circumstances, and what the data caveats leave."""

from __future__ import annotations

import pytest
from attrs import evolve

from onedata.errors import TokenCaveatUnverified
from onedata.ids import FileGuid, FileUuid, SpaceId
from onedata.tokens import (
    NO_LIMITS,
    NOBODY,
    AccessToken,
    DataLimits,
    IdentityToken,
    Interface,
    InviteToken,
    RequestContext,
    Service,
    Subject,
    TokenType,
    data_limits,
    effective_type,
    parse_caveat,
    valid_until,
    verify_caveats,
)
from onedata.tokens.caveats import CAVEATS

CONTEXT = RequestContext(
    now_s=1000.5,
    peer_ip="10.1.2.3",
    interface=Interface.REST,
    service=Service("op_worker", "p1"),
    consumer=Subject("user", "u1"),
    consumer_groups=frozenset({"g1"}),
    data_access_allowed=True,
)
UNKNOWN = RequestContext(now_s=1000.5)
ACCESS = AccessToken()
INVITE = InviteToken("userJoinSpace", "s1")
FILE = FileGuid(FileUuid("f1"), SpaceId("s1")).object_id()


def _holds(text: str, context: RequestContext = CONTEXT, token_type: TokenType = ACCESS) -> bool:
    try:
        verify_caveats(token_type, [parse_caveat(text)], context)
    except TokenCaveatUnverified as refused:
        assert refused.details == {"caveat": parse_caveat(text).to_json()}
        return False
    return True


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("time < 1001", True),
        ("time < 1000", False),
        ("ip = 10.1.2.3", True),
        ("ip = 192.0.2.1|10.0.0.0/8", True),
        ("ip = 192.0.2.1|10.9.9.9/16", False),
        ("asn = 1", False),
        ("geo.country = PL", False),
        ("geo.country != PL", False),
        ("geo.region != EU", False),
        ("service = opw-p1", True),
        ("service = opp-p1|opw-*", True),
        ("service = opw-p2|ozw-onezone", False),
        ("consumer = usr-u1", True),
        ("consumer = usr-*", True),
        ("consumer = prv-u1|usr-u2", False),
        ("consumer = grp-g1", True),
        ("consumer = grp-*", True),
        ("consumer = grp-g2", False),
        ("interface = rest", True),
        ("interface = oneclient", False),
        ("api = all/get/*.*.*:*", True),
        ("data.readonly", True),
        ("data.path = L3MxL2E=", True),
        (f"data.objectid = {FILE}", True),
        ("authorization = none", False),
    ],
)
def test_caveat_of_an_access_token_is_decided(text: str, holds: bool) -> None:
    assert _holds(text) is holds


@pytest.mark.parametrize(
    "text",
    [
        "ip = 0.0.0.0/0",
        "service = opw-*",
        "consumer = usr-*|grp-*|prv-*",
        "interface = rest",
        "data.readonly",
        "data.path = L3MxL2E=",
        f"data.objectid = {FILE}",
    ],
)
def test_caveat_on_something_unknown_does_not_hold(text: str) -> None:
    assert not _holds(text, UNKNOWN)


def test_nobody_is_not_among_the_consumers() -> None:
    assert not _holds("consumer = usr-*|prv-*|grp-*", evolve(UNKNOWN, consumer=NOBODY))


@pytest.mark.parametrize(
    ("peer_ip", "holds"),
    [("::ffff:10.1.2.3", True), ("::1", False), ("2001:db8::1", False), ("garbage", False), ("", False)],
)
def test_ip_caveat_sees_mapped_addresses_and_nothing_else(peer_ip: str, holds: bool) -> None:
    assert _holds("ip = 0.0.0.0/0", evolve(CONTEXT, peer_ip=peer_ip)) is holds


ONE_OF_EACH = {
    "time": "time < 1001",
    "ip": "ip = 10.1.2.3",
    "service": "service = opw-p1",
    "consumer": "consumer = usr-u1",
    "interface": "interface = rest",
    "api": "api = all/get/*.*.*:*",
    "data.readonly": "data.readonly",
    "data.path": "data.path = L3MxL2E=",
    "data.objectid": f"data.objectid = {FILE}",
    "authorization": "authorization = none",
}


def test_caveats_that_never_hold_are_those_without_a_database() -> None:
    assert CAVEATS.keys() - ONE_OF_EACH.keys() == {"asn", "geo.country", "geo.region"}


@pytest.mark.parametrize(
    ("token_type", "suitable"),
    [
        (IdentityToken(), {"time", "ip", "consumer", "interface", "authorization"}),
        (INVITE, {"time", "ip", "consumer"}),
        (ACCESS, ONE_OF_EACH.keys() - {"authorization"}),
    ],
)
def test_caveats_that_do_not_suit_the_token_type_fail(token_type: TokenType, suitable: set[str]) -> None:
    assert {name for name, text in ONE_OF_EACH.items() if _holds(text, token_type=token_type)} == suitable


def test_access_token_without_authorization_serves_as_identity_only() -> None:
    caveats = [parse_caveat("authorization = none"), parse_caveat("time < 2000")]
    assert effective_type(ACCESS, caveats) == IdentityToken()
    assert effective_type(ACCESS, caveats[1:]) == ACCESS
    assert effective_type(INVITE, caveats) == INVITE
    verify_caveats(IdentityToken(), caveats, CONTEXT)


def test_all_repeated_caveats_have_to_hold() -> None:
    caveats = [parse_caveat("time < 2000"), parse_caveat("time < 900"), parse_caveat("asn = 1")]
    with pytest.raises(TokenCaveatUnverified) as refused:
        verify_caveats(ACCESS, caveats, CONTEXT)
    assert refused.value.details == {"caveat": {"type": "time", "validUntil": 900}}


def test_token_ends_at_its_earliest_time_caveat() -> None:
    caveats = [parse_caveat("time < 2000"), parse_caveat("time < 900"), parse_caveat("data.readonly")]
    assert valid_until(caveats) == 900
    assert valid_until(caveats[2:]) is None


def test_token_without_data_caveats_has_no_limits() -> None:
    assert data_limits([parse_caveat("time < 5")]) is NO_LIMITS
    assert NO_LIMITS.are_none
    assert NO_LIMITS.spaces() is None


def test_each_data_caveat_becomes_one_set_of_alternatives() -> None:
    limits = data_limits(
        [
            parse_caveat("data.path = L3MxL2E=|L3MyL2I="),
            parse_caveat("data.readonly"),
            parse_caveat("data.path = L3MxL2M="),
            parse_caveat(f"data.objectid = {FILE.lower()}"),
        ]
    )
    assert limits == DataLimits(
        readonly=True,
        paths=(frozenset({"/s1/a", "/s2/b"}), frozenset({"/s1/c"})),
        object_ids=(frozenset({FILE}),),
    )
    assert not limits.are_none


def test_limits_leave_the_spaces_common_to_all_sets() -> None:
    limits = DataLimits(paths=(frozenset({"/s1/a", "/s2/b"}),), object_ids=(frozenset({FILE}),))
    assert limits.spaces() == frozenset({SpaceId("s1")})
    assert DataLimits(paths=(frozenset({"/s2"}),), object_ids=(frozenset({FILE}),)).spaces() == frozenset()
    assert DataLimits(readonly=True).spaces() is None

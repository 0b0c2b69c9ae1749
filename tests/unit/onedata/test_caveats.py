"""Caveats: the signed text, the JSON, and refusing everything else."""

from __future__ import annotations

import json
from ipaddress import IPv4Interface
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadValueCaveat, TokenCaveatUnknown
from onedata.gri import GriPattern
from onedata.ids import FileGuid, FileUuid, SpaceId
from onedata.tokens import (
    ApiCaveat,
    ApiRule,
    AsnCaveat,
    Caveat,
    ConsumerCaveat,
    CountryCaveat,
    DataObjectIdCaveat,
    DataPathCaveat,
    DataReadonlyCaveat,
    Filter,
    IdentityScopeCaveat,
    Interface,
    InterfaceCaveat,
    IpCaveat,
    Operation,
    RegionCaveat,
    Service,
    ServiceCaveat,
    ServiceKind,
    Subject,
    SubjectKind,
    TimeCaveat,
    caveat_from_json,
    parse_caveat,
)
from onedata.tokens.caveats import CAVEATS
from onedata.tokens.request_caveats import REGIONS

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,12}|\*", fullmatch=True)
SUBJECTS = st.builds(
    Subject, st.sampled_from([SubjectKind.USER, SubjectKind.ONEPROVIDER, SubjectKind.GROUP]), IDS
)
RULES = st.builds(
    ApiRule,
    st.none() | st.sampled_from(ServiceKind),
    st.none() | st.sampled_from(Operation),
    st.sampled_from(["*.*.*:*", "space.*.instance:*", "op_file.f1.rdf_metadata,x:private"]).map(
        GriPattern.parse
    ),
)
NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
OBJECT_IDS = IDS.map(lambda text: FileGuid(FileUuid(text), SpaceId("s1")).object_id())


def some(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=1, max_size=3).map(tuple)


CAVEAT_STRATEGY: st.SearchStrategy[Caveat] = st.one_of(
    st.builds(TimeCaveat, st.integers(0, 10**15)),
    st.builds(IpCaveat, some(st.ip_addresses(v=4).map(lambda ip: IPv4Interface((ip, 24))))),
    st.builds(IpCaveat, some(st.ip_addresses(v=4).map(IPv4Interface))),
    st.builds(AsnCaveat, some(st.integers(0, 2**32 - 1))),
    st.builds(CountryCaveat, st.sampled_from(Filter), some(st.from_regex(r"[A-Z]{2}", fullmatch=True))),
    st.builds(RegionCaveat, st.sampled_from(Filter), some(st.sampled_from(sorted(REGIONS)))),
    st.builds(IdentityScopeCaveat),
    st.builds(ServiceCaveat, some(st.builds(Service, st.sampled_from(ServiceKind), IDS))),
    st.builds(ConsumerCaveat, some(SUBJECTS)),
    st.builds(InterfaceCaveat, st.sampled_from(Interface)),
    st.builds(ApiCaveat, some(RULES)),
    st.builds(DataReadonlyCaveat),
    st.builds(DataPathCaveat, some(PATHS)),
    st.builds(DataObjectIdCaveat, some(OBJECT_IDS)),
)

EXAMPLES = [
    ("time < 8374891234", {"type": "time", "validUntil": 8374891234}),
    ("ip = 1.2.3.4/32|10.0.0.0/8", {"type": "ip", "whitelist": ["1.2.3.4", "10.0.0.0/8"]}),
    ("asn = 322|64496", {"type": "asn", "whitelist": [322, 64496]}),
    ("geo.country = PL|FR", {"type": "geo.country", "filter": "whitelist", "list": ["PL", "FR"]}),
    ("geo.country != PL", {"type": "geo.country", "filter": "blacklist", "list": ["PL"]}),
    ("geo.region = Asia|EU", {"type": "geo.region", "filter": "whitelist", "list": ["Asia", "EU"]}),
    ("authorization = none", {"scope": "identityToken"}),
    ("service = opw-p1|ozw-onezone", {"type": "service", "whitelist": ["opw-p1", "ozw-onezone"]}),
    (
        "consumer = usr-user-id|grp-g1|prv-*",
        {"type": "consumer", "whitelist": ["usr-user-id", "grp-g1", "prv-*"]},
    ),
    ("interface = rest", {"type": "interface", "interface": "rest"}),
    ("api = all/all/*.*.*:*", {"type": "api", "whitelist": ["all/all/*.*.*:*"]}),
    ("api = ozw/get/space.*.instance:*", {"type": "api", "whitelist": ["ozw/get/space.*.instance:*"]}),
    ("data.readonly", {"type": "data.readonly"}),
    (
        "data.path = L3NwYWNlMS9maWxlMS50eHQ=",
        {"type": "data.path", "whitelist": ["L3NwYWNlMS9maWxlMS50eHQ="]},
    ),
    (
        "data.objectid = 00000000000CDBDA677569642331323323616263",
        {"type": "data.objectid", "whitelist": ["00000000000CDBDA677569642331323323616263"]},
    ),
]


@pytest.mark.parametrize(("text", "obj"), EXAMPLES)
def test_published_forms_of_caveats_are_read_and_written(text: str, obj: dict[str, object]) -> None:
    caveat = parse_caveat(text)
    assert caveat == caveat_from_json(obj)
    assert (caveat.text, caveat.to_json()) == (text, obj)


def test_examples_above_cover_every_caveat() -> None:
    assert {type(parse_caveat(text)) for text, _ in EXAMPLES} == set(CAVEATS.values())


@given(CAVEAT_STRATEGY)
def test_caveat_survives_its_signed_text(caveat: Caveat) -> None:
    assert parse_caveat(caveat.text) == caveat


@given(CAVEAT_STRATEGY)
def test_caveat_survives_its_json_form(caveat: Caveat) -> None:
    assert caveat_from_json(json.loads(json.dumps(caveat.to_json()))) == caveat


def test_path_caveat_holds_the_plain_paths() -> None:
    caveat = parse_caveat("data.path = L3NwYWNlMS9maWxlMS50eHQ=")
    assert isinstance(caveat, DataPathCaveat)
    assert caveat.whitelist == ("/space1/file1.txt",)
    assert caveat.spaces == frozenset({SpaceId("space1")})


@given(st.text(max_size=40))
def test_any_text_is_a_caveat_or_refused_as_unknown(text: str) -> None:
    with pytest.raises(TokenCaveatUnknown):
        parse_caveat(text)


@given(
    st.sampled_from(sorted(CAVEATS)), st.sampled_from([" = ", " != ", " < ", " ", "  "]), st.text(max_size=20)
)
def test_known_caveat_with_any_body_is_read_or_refused(name: str, operator: str, body: str) -> None:
    try:
        caveat = parse_caveat(name + operator + body)
    except TokenCaveatUnknown:
        return
    assert parse_caveat(caveat.text) == caveat


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


@given(
    st.dictionaries(
        st.sampled_from(["type", "whitelist", "list", "filter", "validUntil", "interface", "scope", "x"]),
        JSON_VALUES | st.lists(JSON_VALUES, max_size=3) | st.sampled_from(sorted(CAVEATS)),
        max_size=4,
    )
    | JSON_VALUES
    | st.lists(JSON_VALUES)
)
def test_any_json_is_a_caveat_or_refused(obj: object) -> None:
    try:
        caveat = caveat_from_json(obj)
    except BadValueCaveat:
        return
    assert caveat_from_json(caveat.to_json()) == caveat


@pytest.mark.parametrize(
    "text",
    [
        "time < -5",
        "time < 1 ",
        "time < 007",
        "time < 1_000",
        "time < \u0663",  # an Arabic digit
        "time < " + "9" * 5000,
        "time = 5",
        "time",
        "ip = ",
        "ip = 300.1.1.1",
        "ip = 1.2.3.4/33",
        "ip = 1.2.3.4/255.0.0.0",
        "ip = ::1",
        "ip < 1.2.3.4",
        "asn = 1|",
        "geo.country = pl",
        "geo.country < PL",
        "geo.region = Atlantis",
        "authorization = all",
        "service = xyz-1",
        "service = opw-",
        "consumer = nobody",
        "consumer = usr",
        "interface = telnet",
        "interface != rest",
        "api = all/all",
        "api = all/fly/*.*.*:*",
        "api = all/all/nonsense",
        "data.readonly now",
        "data.path = !!!",
        "data.path = " + "L3Nw/",
        "data.path = Lw==",  # the path /
        "data.path = L2Ev",  # /a/
        "data.path = L2EvLi4vYg==",  # /a/../b
        "data.path = YS9i",  # a/b
        "data.objectid = 1234",
        "data.objectid = Z3VpZA",
        "audience = usr-1",
        "custom",
    ],
)
def test_malformed_or_foreign_caveats_are_refused(text: str) -> None:
    with pytest.raises(TokenCaveatUnknown) as refused:
        parse_caveat(text)
    assert refused.value.details == {"caveat": text}


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"type": "unknown"},
        {"type": ["time"]},
        {"type": "time", "validUntil": True},
        {"type": "time", "validUntil": 1.5},
        {"type": "time", "validUntil": "1"},
        {"type": "time", "validUntil": 1, "unless": "friday"},
        {"type": "ip", "whitelist": []},
        {"type": "ip", "whitelist": "1.2.3.4"},
        {"type": "asn", "whitelist": ["1"]},
        {"type": "geo.country", "filter": "maybe", "list": ["PL"]},
        {"type": "authorization"},
        {"type": "consumer", "whitelist": ["usr-\ud800"]},
        {"type": "api", "whitelist": ["all/all/a.\ud800.c:*"]},
        {"type": "data.readonly", "whitelist": []},
        {"scope": "everything"},
    ],
)
def test_json_that_is_no_caveat_is_refused(obj: object) -> None:
    with pytest.raises(BadValueCaveat):
        caveat_from_json(obj)


def test_caveats_without_any_alternative_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="whitelist"):
        ConsumerCaveat(())


def test_caveats_cannot_be_changed_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        TimeCaveat(5).valid_until = 10  # type: ignore[misc] # the assignment under test

"""Values of bodies: what is accepted, and the error of what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from onedata.errors import OnedataError
from oz_worker.values import Body, caveats_from, granted_and_revoked, is_name


@pytest.mark.parametrize("name", ["ab", "Zażółć gęślą", "a.b-c d", "(x)", "_a_", "x" * 128, "日本"])
def test_usual_names_are_accepted(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a", "-ab", "ab-", " ab", "a/b", "a\nb", "ab\n", "x" * 129, "a\0b"])
def test_unusual_names_are_refused(name: str) -> None:
    assert not is_name(name)


READERS: list[tuple[str, Callable[[Body], object], list[Any], dict[Any, str]]] = [
    ("boolean", lambda b: b.boolean("k"), [True, False], {"true": "badValueBoolean", 1: "badValueBoolean"}),
    (
        "integer",
        lambda b: b.integer("k", low=1),
        [1, "17"],
        {0: "badValueTooLow", "x": "badValueInteger", 1.5: "badValueInteger", True: "badValueInteger"},
    ),
    (
        "number",
        lambda b: b.number("k", low=-90, high=90),
        [0, 1.5, "2.5"],
        {91: "badValueNotInRange", "nan": "badValueFloat", "x": "badValueFloat", True: "badValueFloat"},
    ),
    ("email", lambda b: b.email("k"), ["a@b.c"], {"a": "badValueEmail", "a b@c.d": "badValueEmail"}),
    (
        "domain",
        lambda b: b.domain("k"),
        ["a.b", "10.0.0.1", "p.example.org:8443"],
        {"A.b": "badValueDomain", "a..b": "badValueDomain", "-a": "badValueDomain", "a:x": "badValueDomain"},
    ),
    ("subdomain", lambda b: b.subdomain("k"), ["krk"], {"a.b": "badValueSubdomain"}),
    (
        "username",
        lambda b: b.username("k"),
        ["a.b_c-d", "ab"],
        dict.fromkeys(["a", "żab"], "badValueUsername"),
    ),
    (
        "full name",
        lambda b: b.full_name("k"),
        ["Jan O'Neil Jr."],
        dict.fromkeys(["_a", "a"], "badValueFullName"),
    ),
    (
        "password",
        lambda b: b.password("k"),
        ["12345678"],
        {"1234567": "badValuePassword"},
    ),
    ("text", lambda b: b.text("k"), ["x"], {"": "badValueEmpty", 5: "badValueString"}),
    ("choice", lambda b: b.choice("k", ["a"]), ["a"], {"b": "badValueNotAllowed"}),
    (
        "ipv4",
        lambda b: b.ipv4("k"),
        ["1.2.3.4"],
        dict.fromkeys(["1.2.3", "::1"], "badValueIPv4Address"),
    ),
    ("id", lambda b: b.entity_id("k"), ["krk-1_x"], {"a.b": "badValueString", "a/b": "badValueString"}),
]


@pytest.mark.parametrize(("reader", "good"), [(r, g) for _, r, goods, _ in READERS for g in goods])
def test_good_values_are_returned(reader: Callable[[Body], object], good: object) -> None:
    assert reader(Body({"k": good})) is not None


@pytest.mark.parametrize(
    ("reader", "bad", "error"), [(r, bad, error) for _, r, _, bads in READERS for bad, error in bads.items()]
)
def test_bad_values_get_their_error(reader: Callable[[Body], object], bad: object, error: str) -> None:
    with pytest.raises(OnedataError) as caught:
        reader(Body({"k": bad}))
    assert caught.value.id == error


@pytest.mark.parametrize("reader", [reader for _, reader, _, _ in READERS])
def test_null_and_absent_are_the_same_missing_value(reader: Callable[[Body], object]) -> None:
    for values in ({}, {"k": None}):
        with pytest.raises(OnedataError) as caught:
            reader(Body(values))
        assert caught.value.to_json()["id"] == "missingRequiredValue"
        assert caught.value.details == {"key": "k"}


def test_null_can_be_told_from_absent_where_it_matters() -> None:
    assert Body({"k": None}).is_null("k") and not Body({}).is_null("k")


def test_unknown_privileges_are_refused_with_the_known_ones() -> None:
    with pytest.raises(OnedataError) as caught:
        granted_and_revoked(Body({"grant": ["space_fly"]}), {"space_view"})
    assert caught.value.details == {"key": "grant", "allowed": ["space_view"]}
    with pytest.raises(OnedataError) as missing:
        granted_and_revoked(Body({}), {"space_view"})
    assert missing.value.id == "missingAtLeastOneValue"


def test_caveats_must_be_a_list_of_known_ones() -> None:
    assert [c.text for c in caveats_from(Body({"caveats": [{"type": "data.readonly"}]}))] == ["data.readonly"]
    with pytest.raises(OnedataError) as caught:
        caveats_from(Body({"caveats": [{"type": "moon"}]}))
    assert caught.value.id == "badValueCaveat"

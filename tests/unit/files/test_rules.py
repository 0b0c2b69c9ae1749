"""Retention, holds and wishes as values: what a change may do, how moments are written, what is offered."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.persistence.engine import Key, Link, Put, Unlink
from onedata.errors import BadData, Errno, Posix
from op_worker.files.model import FileType
from op_worker.files.rights.immutability import DUE, REGISTER, due_name, key_of_due, register_steps
from op_worker.files.rules.moments import parse_moment, parse_period, period_text, timestamp
from op_worker.files.rules.offer import IMMEDIATE, PLACEMENT, REDUNDANCY, Offer, check_placement, is_allowed
from op_worker.files.rules.retention import Immutability, ImmutabilityChange, Period
from op_worker.files.rules.rules import Rules
from op_worker.files.stored.meta import Meta

NOW = 1000
BEFORE, PAST, FUTURE = Period(0, 900), Period(0, 1000), Period(1001, 2000)
IN_FORCE = Period(500, 1500)
Change = ImmutabilityChange
periods = st.tuples(st.integers(0, 2000), st.integers(1, 2000)).map(lambda pair: Period(pair[0], sum(pair)))
holds = st.lists(st.sampled_from(("a", "b", "c")), unique=True).map(lambda names: tuple(sorted(names)))
kept = st.builds(Immutability, st.none() | periods, st.sampled_from(("", "l")), st.booleans(), holds)


@pytest.mark.parametrize(
    ("present", "change", "expected"),
    [
        (None, Change(period=IN_FORCE), Immutability(IN_FORCE)),
        (None, Change(label="l", autodelete=True), Immutability(None, "l", True)),
        (Immutability(IN_FORCE), Change(period=Period(500, 1500)), Immutability(IN_FORCE)),
        (Immutability(IN_FORCE), Change(period=Period(1000, 1501)), Immutability(Period(1000, 1501))),
        (Immutability(IN_FORCE), Change(period=Period(0, 1499)), None),
        (Immutability(IN_FORCE), Change(period=Period(1001, 9999)), None),
        (Immutability(IN_FORCE), Change(period=None), None),
        (Immutability(IN_FORCE, "l"), Change(label="m"), None),
        (Immutability(IN_FORCE, "l"), Change(label="l"), Immutability(IN_FORCE, "l")),
        (Immutability(IN_FORCE), Change(autodelete=True), None),
        (Immutability(IN_FORCE), Change(holds=["h"]), Immutability(IN_FORCE, holds=("h",))),
        (Immutability(PAST, "l", True), Change(period=BEFORE), Immutability(BEFORE, "l", True)),
        (Immutability(FUTURE), Change(period=BEFORE), Immutability(BEFORE)),
        (Immutability(holds=("h",)), Change(holds=["i", "h"]), Immutability(holds=("h", "i"))),
        (Immutability(holds=("h",)), Change(holds=["i"]), None),
        (Immutability(holds=("h",)), Change(holds=()), None),
        (Immutability(holds=("h",)), Change(period=IN_FORCE), Immutability(IN_FORCE, holds=("h",))),
    ],
)
def test_periods_in_force_grow_only_and_holds_are_added_only(
    present: Immutability | None, change: Change, expected: Immutability | None
) -> None:
    if expected is None:
        with pytest.raises(Posix) as caught:
            change.applied(present, NOW)
        assert caught.value.errno is Errno.EPERM and caught.value.reason
    else:
        assert change.applied(present, NOW) == expected


def test_when_nothing_is_left_nothing_is_kept() -> None:
    assert Change(period=None).applied(Immutability(PAST), NOW) is None
    assert Change(holds=()).applied(None, NOW) is None
    assert Change().is_empty and not Change(holds=()).is_empty


def test_holds_of_directories_above_do_not_become_the_files_own() -> None:
    assert Change(holds=["up", "own"]).applied(None, NOW, ["up"]) == Immutability(holds=("own",))
    own = Immutability(holds=("up",))
    assert Change(holds=["up"]).applied(own, NOW, ["up"]) == own


@given(kept, kept, st.integers(0, 4000))
def test_no_change_lets_go_what_binds(old: Immutability, wish: Immutability, now_ms: int) -> None:
    """Said another way: whenever it bound before, it binds afterwards at least as long."""
    change = Change(period=wish.period, label=wish.label, autodelete=wish.autodelete, holds=wish.holds)
    try:
        new = change.applied(old, now_ms) or Immutability()
    except Posix:
        return
    assert set(old.holds) <= set(new.holds)
    if old.is_retained(now_ms):
        later = [moment for moment in range(now_ms, 4001, 50) if old.is_retained(moment)]
        assert all(new.is_retained(moment) for moment in later)


@given(kept, st.dictionaries(st.sampled_from((REDUNDANCY, IMMEDIATE)), st.text(max_size=3)))
def test_what_is_stored_of_rules_is_read_back(immutability: Immutability, wishes: dict[str, str]) -> None:
    meta = Meta("n", FileType.REG, 0o664, "u", "p", 1, immutability=immutability, wishes=wishes)
    assert Meta.decode(meta.encode()) == meta


def test_rules_cost_nothing_where_there_are_none() -> None:
    meta = Meta("n", FileType.REG, 0o664, "u", "p", 1)
    assert len(evolve(meta, immutability=Immutability()).encode()) > len(meta.encode())
    assert Meta.decode(meta.encode()).immutability is None


@given(kept, kept, st.booleans())
def test_registers_hold_what_binds_and_what_is_due(
    old: Immutability, new: Immutability, is_directory: bool
) -> None:
    key = Key("k")
    entries: set[tuple[Key, bytes]] = set()
    for before, after in ((None, old), (old, new), (new, None)):
        steps = register_steps(key, before, after, is_directory=is_directory)
        for step in steps:
            match step:
                case Link(directory, name):
                    assert (directory, name) not in entries
                    entries.add((directory, name))
                case Unlink(directory, name):
                    entries.remove((directory, name))
        is_marked = any(isinstance(step, Put) for step in steps)
        binding = [one for one in (before, after) if one is not None and one.may_bind]
        assert is_marked is (bool(binding) and before != after)
        expected = set()
        if after is not None and after.may_bind:
            expected.add((REGISTER, b"k"))
        if after is not None and after.due_ms is not None:
            expected.add((DUE, due_name(after.due_ms, key)))
        assert entries == expected


def test_what_is_due_stands_in_the_order_of_time() -> None:
    names = [due_name(end_ms, Key("x")) for end_ms in (0, 9, 10, 1_700_000_000_000, 253402300799999)]
    assert sorted(names) == names
    assert key_of_due(names[3]) == "x"


def test_rules_below_a_directory_add_to_its_own() -> None:
    above = Rules(Immutability(holds=("a",)), (), {"x": "1", "y": "1"})
    below = above.below(Immutability(holds=("b",)), {"y": "2"})
    assert below.holds == ["a", "b"] and below.wishes == {"x": "1", "y": "2"}
    assert below.below(None, {}).own is None and below.below(None, {}).holds == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T00:00:01.250000Z", 1250),
        ("1970-01-01T00:00:01.25", 1250),
        ("1970-01-01T01:00:00+01:00", 0),
    ],
)
def test_moments_are_iso_8601(text: str, moment_ms: int) -> None:
    assert parse_moment(text) == moment_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2030",
        "2030-01-01",
        "2030-02-30T00:00:00Z",
        "2030-01-01 00:00:00",
        "٢030-01-01T00:00:00Z",
        "x" * 99,
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00Z/P1Y",
        "2031-01-01T00:00:00Z/2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00Z/2030-01-01T00:00:00Z",
        "/",
        "2030-01-01T00:00:00Z/2031-01-01T00:00:00Z/2032-01-01T00:00:00Z",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_period(text)


@given(st.integers(0, 250_000_000_000_000), st.integers(1, 1_000_000_000))
def test_periods_are_written_as_they_are_read(start_ms: int, length_ms: int) -> None:
    period = Period(start_ms, start_ms + length_ms)
    assert parse_period(period_text(period)) == period
    assert timestamp(start_ms / 1000).endswith("Z")


@pytest.mark.parametrize(
    ("placement", "country", "allowed"),
    [
        (["PL"], "PL", True),
        (["DE", "PL"], "PL", True),
        (["DE"], "PL", False),
        (["*"], "PL", True),
        (["*", "!PL"], "PL", False),
        (["!DE"], "PL", True),
        (["!PL-14"], "PL", False),
        (["PL-14"], "PL", False),
        (["PL", "!DE"], "PL", True),
    ],
)
def test_a_placement_says_where_a_file_may_lie(placement: Any, country: str, allowed: bool) -> None:
    assert is_allowed(country, placement) is allowed
    offer = Offer(countries=(country,))
    if allowed:
        offer.require({PLACEMENT: placement})
    else:
        with pytest.raises(Posix) as caught:
            offer.require({PLACEMENT: placement})
        assert caught.value.errno is Errno.EPERM


def test_every_country_of_the_operator_must_be_allowed() -> None:
    with pytest.raises(Posix):
        Offer(countries=("PL", "DE")).require({PLACEMENT: ["PL"]})
    with pytest.raises(BadData) as caught:
        Offer().require({PLACEMENT: ["PL"]})
    assert caught.value.key == PLACEMENT
    Offer().require({PLACEMENT: None, REDUNDANCY: "2"})


@pytest.mark.parametrize(
    "codes", [[], ["XX"], ["pl"], ["P"], ["POL"], ["!"], ["!*"], ["PL-"], ["PL-ABCD"], ["616"]]
)
def test_what_is_no_code_of_a_country_is_refused(codes: list[str]) -> None:
    with pytest.raises(BadData) as caught:
        check_placement(codes)
    assert caught.value.key == PLACEMENT


def test_what_is_provided_is_what_there_is() -> None:
    offer = Offer()
    assert offer.provided({}) == {}
    assert offer.provided({REDUNDANCY: "3", IMMEDIATE: "true"}) == {REDUNDANCY: "1", IMMEDIATE: "false"}
    assert offer.provided({IMMEDIATE: "true"}) == {IMMEDIATE: "true"}
    assert offer.provided({PLACEMENT: ["PL"]}) == {}
    assert Offer(countries=("PL",), copies=2).provided(
        {PLACEMENT: ["*"], REDUNDANCY: "2", IMMEDIATE: "true"}
    ) == {
        PLACEMENT: ("PL",),
        REDUNDANCY: "2",
        IMMEDIATE: "true",
    }

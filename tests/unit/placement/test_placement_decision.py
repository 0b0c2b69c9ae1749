"""Which storage takes a new content: a table of cases, and what holds of every case."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, InvalidQosExpression
from onedata.ids import StorageId
from op_worker.placement.decision import Candidate, NewContent, ranked
from op_worker.placement.policy import (
    ANYWHERE,
    MAX_RULES,
    Otherwise,
    Policy,
    Prefer,
    Rule,
    policy_of,
    required_by,
)
from op_worker.qos_expression.grammar import parse_expression

A, B, C = map(StorageId, "abc")
MIB = 1 << 20


def candidate(storage_id: StorageId, room_b: int = 100 * MIB, **parameters: str | float) -> Candidate:
    return Candidate(storage_id=storage_id, room_b=room_b, parameters={**parameters, "storageId": storage_id})


ALL = [candidate(A, type="disk"), candidate(B, type="ssd", tier=2), candidate(C, type="tape", tier=3)]


def draws(seed: int = 1) -> Callable[[], float]:
    chance = random.Random(seed)
    return lambda: chance.uniform(1e-9, 1 - 1e-9)


def rule(**told: object) -> Rule:
    [made] = policy_of({"rules": [told]}).rules
    return made


ONLY = {"prefer": "nothing", "otherwise": "refuse"}
SSD, TAPE = {"expression": "type=ssd", **ONLY}, {"expression": "type=tape", **ONLY}
TABLE = [
    ("no rules: any storage", [], NewContent(), {A, B, C}),
    ("by an expression", [{"expression": "type=ssd", **ONLY}], NewContent(), {B}),
    ("by an order of numbers", [{"expression": "tier>2", **ONLY}], NewContent(), {C}),
    ("by a name", [{"name": "*.h5", **SSD}], NewContent(names=("d", "x.h5")), {B}),
    (
        "another name",
        [{"name": "*.h5", **SSD}],
        NewContent(names=("x.txt",)),
        {A, B, C},
    ),
    (
        "by a path",
        [{"name": "raw/**", **TAPE}],
        NewContent(names=("raw", "d", "x")),
        {C},
    ),
    ("not yet named", [{"name": "*", "expression": "type=tape", **ONLY}], NewContent(), {A, B, C}),
    ("small", [{"maxSize": 10, "expression": "type=ssd", **ONLY}], NewContent(size_b=10), {B}),
    ("not small", [{"maxSize": 10, "expression": "type=ssd", **ONLY}], NewContent(size_b=11), {A, B, C}),
    ("large", [{"minSize": 10, "expression": "type=tape", **ONLY}], NewContent(size_b=10), {C}),
    ("of unknown size", [{"minSize": 0, "expression": "type=tape", **ONLY}], NewContent(), {A, B, C}),
    ("weight 0", [{"weights": {A: 0, B: 0}, **ONLY}], NewContent(), {C}),
    ("too large for all", [], NewContent(size_b=101 * MIB), set()),
    ("none matches", [{"expression": "type=no", **ONLY}], NewContent(), set()),
    ("required", [], NewContent(required=parse_expression("tier>=2")), {B, C}),
    (
        "required and ruled",
        [{"expression": "type=disk", **ONLY}],
        NewContent(required=parse_expression("tier>=2")),
        set(),
    ),
    ("first of two", [{"expression": "type=ssd", **ONLY}, {"expression": "type=tape"}], NewContent(), {B}),
]


@pytest.mark.parametrize(("case", "rules", "content", "expected"), TABLE, ids=[case[0] for case in TABLE])
def test_the_storages_that_may_take_a_content(
    case: str, rules: list[object], content: NewContent, expected: set[StorageId]
) -> None:
    policy = policy_of({"rules": rules})
    for seed in range(5):
        assert set(ranked(policy, ALL, content, draws(seed))) == expected


def test_storages_of_an_earlier_rule_come_before_those_of_a_later_one() -> None:
    policy = Policy(
        (
            Rule(expression=parse_expression("type=tape"), otherwise=Otherwise.NEXT),
            Rule(expression=parse_expression("type=disk"), otherwise=Otherwise.NEXT),
        )
    )
    for seed in range(20):
        assert ranked(policy, ALL, NewContent(), draws(seed)) == [C, A, B]


@pytest.mark.parametrize("size_b", [None, 0, 5])
def test_storages_that_cannot_be_used_are_passed_over(size_b: int | None) -> None:
    candidates = [evolve(ALL[0], is_usable=False), ALL[1]]
    assert ranked(ANYWHERE, candidates, NewContent(size_b=size_b), draws()) == [B]


def test_a_full_storage_takes_an_empty_content_only() -> None:
    candidates = [candidate(A, 0)]
    assert ranked(ANYWHERE, candidates, NewContent(size_b=1), draws()) == []
    assert ranked(ANYWHERE, candidates, NewContent(), draws()) == []
    assert ranked(ANYWHERE, candidates, NewContent(size_b=0), draws()) == [A]


def first_shares(policy: Policy, candidates: list[Candidate]) -> dict[StorageId, float]:
    draw = draws(7)
    counts = Counter(ranked(policy, candidates, NewContent(), draw)[0] for _ in range(20_000))
    return {one: count / 20_000 for one, count in counts.items()}


def test_weights_are_shares() -> None:
    shares = first_shares(Policy((rule(weights={A: 3, B: 1, C: 0}, prefer="nothing"),)), ALL)
    assert shares == pytest.approx({A: 0.75, B: 0.25}, abs=0.02)


def test_room_is_a_share_where_it_is_preferred() -> None:
    candidates = [candidate(A, 60 * MIB), candidate(B, 30 * MIB), candidate(C, 10 * MIB)]
    assert first_shares(ANYWHERE, candidates) == pytest.approx({A: 0.6, B: 0.3, C: 0.1}, abs=0.02)


policies = st.lists(
    st.builds(
        Rule,
        name=st.sampled_from([None, "*", "x*", "d/**"]),
        min_size_b=st.none() | st.integers(0, 20),
        max_size_b=st.none() | st.integers(0, 20),
        expression=st.sampled_from([parse_expression(one) for one in ("anyStorage", "type=ssd", "tier>1")]),
        weights=st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 3)),
        prefer=st.sampled_from(Prefer),
        otherwise=st.sampled_from(Otherwise),
    ),
    max_size=4,
).map(lambda rules: Policy(tuple(rules)))
candidates = st.tuples(
    *(st.builds(evolve, st.just(one), room_b=st.integers(0, 20), is_usable=st.booleans()) for one in ALL)
)
contents = st.builds(
    NewContent,
    size_b=st.none() | st.integers(0, 30),
    names=st.sampled_from([None, ("x",), ("d", "y")]),
    required=st.sampled_from([parse_expression(one) for one in ("anyStorage", r"anyStorage \ type=ssd")]),
)


@given(policies, candidates, contents, st.integers(0, 9))
def test_only_usable_storages_with_room_are_tried_and_each_once(
    policy: Policy, candidates: tuple[Candidate, ...], content: NewContent, seed: int
) -> None:
    order = ranked(policy, candidates, content, draws(seed))
    assert len(order) == len(set(order))
    known = {one.storage_id: one for one in candidates}
    for storage_id in order:
        assert known[storage_id].is_usable
        assert known[storage_id].room_b >= (content.size_b or 0)
    if B in order:
        assert content.required == parse_expression("anyStorage")
    if all(one.otherwise is Otherwise.NEXT for one in policy.rules):
        fit = {one.storage_id for one in candidates if one.is_usable and one.room_b >= (content.size_b or 1)}
        if content.size_b != 0 and content.required == parse_expression("anyStorage"):
            assert set(order) == fit


@given(policies)
def test_a_policy_comes_back_from_its_stored_form(policy: Policy) -> None:
    assert Policy.decode(policy.encode()) == policy


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (None, "rules"),
        ([], "rules"),
        ({}, "rules"),
        ({"rules": {}}, "rules"),
        ({"rules": [], "more": 1}, "rules"),
        ({"rules": [{}] * (MAX_RULES + 1)}, "rules"),
        ({"rules": [1]}, "rules[0]"),
        ({"rules": [{}, {"size": 1}]}, "rules[1].size"),
        ({"rules": [{"name": 1}]}, "rules[0].name"),
        ({"rules": [{"name": "a["}]}, "rules[0].name"),
        ({"rules": [{"minSize": -1}]}, "rules[0].minSize"),
        ({"rules": [{"maxSize": True}]}, "rules[0].maxSize"),
        ({"rules": [{"expression": 1}]}, "rules[0].expression"),
        ({"rules": [{"weights": []}]}, "rules[0].weights"),
        ({"rules": [{"weights": {"a": -1}}]}, "rules[0].weights.a"),
        ({"rules": [{"prefer": "luck"}]}, "rules[0].prefer"),
        ({"rules": [{"otherwise": "cry"}]}, "rules[0].otherwise"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_member(told: object, key: str) -> None:
    with pytest.raises(BadData) as caught:
        policy_of(told)
    assert caught.value.key == key


def test_expressions_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidQosExpression):
        policy_of({"rules": [{"expression": "type="}]})
    for text in (5, "type=", None):
        with pytest.raises(InvalidQosExpression):
            required_by(text)

"""Conditional requests: the table of RFC 9110, and headers that say nothing sensible."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, PreconditionNotMet
from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId
from op_worker.files.model import FileStat, FileType
from op_worker.http.conditions import (
    NO_CONDITIONS,
    Conditions,
    Verdict,
    http_date,
    parse_conditions,
    parse_date,
    parse_tags,
)

MODIFIED_S = 784111777
"""Sun, 06 Nov 1994 08:49:37 GMT, the example of the RFC."""
SAME, EARLIER, LATER = (http_date(MODIFIED_S + shift).decode() for shift in (0, -10, 10))
STAT = FileStat(
    guid=FileGuid(FileUuid("f"), SpaceId("s")),
    parent=None,
    name="f",
    path=("f",),
    space_name="s",
    type=FileType.REG,
    mode=0o644,
    owner=UserId("u"),
    provider_id=ProviderId("p"),
    created_s=0,
    atime_s=0,
    mtime_s=MODIFIED_S + 0.75,
    ctime_s=0,
    content_version=18,
    content_generation=bytes(range(8)),
)
TAG = '"0001020304050607-12"'


def conditions(**headers: str) -> Conditions:
    """Parse headers, given with underscores."""
    given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return parse_conditions(lambda name: given.get(name.lower()))


def test_a_tag_changes_with_version_and_generation_and_not_with_anything_else() -> None:
    assert f'"{STAT.content_tag}"' == TAG
    assert evolve(STAT, content_version=19).content_tag != STAT.content_tag
    assert evolve(STAT, content_generation=bytes(8)).content_tag != STAT.content_tag
    same = evolve(STAT, name="g", mode=0, mtime_s=1.0, has_metadata=True)
    assert same.content_tag == STAT.content_tag
    never_whole = evolve(STAT, content_generation=b"", content_version=0)
    assert never_whole.content_tag == "f-0"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.SEND),
        ({"If_Match": TAG}, Verdict.SEND),
        ({"If_Match": "*"}, Verdict.SEND),
        ({"If_Match": f'"other", {TAG}'}, Verdict.SEND),
        ({"If_Match": '"other"'}, Verdict.FAILED),
        ({"If_Match": f"W/{TAG}"}, Verdict.FAILED),
        ({"If_None_Match": TAG}, Verdict.NOT_MODIFIED),
        ({"If_None_Match": f"W/{TAG}"}, Verdict.NOT_MODIFIED),
        ({"If_None_Match": "*"}, Verdict.NOT_MODIFIED),
        ({"If_None_Match": '"other"'}, Verdict.SEND),
        ({"If_Modified_Since": SAME}, Verdict.NOT_MODIFIED),
        ({"If_Modified_Since": LATER}, Verdict.NOT_MODIFIED),
        ({"If_Modified_Since": EARLIER}, Verdict.SEND),
        ({"If_Unmodified_Since": SAME}, Verdict.SEND),
        ({"If_Unmodified_Since": EARLIER}, Verdict.FAILED),
        # an entity tag decides instead of a date
        ({"If_Match": TAG, "If_Unmodified_Since": EARLIER}, Verdict.SEND),
        ({"If_None_Match": '"other"', "If_Modified_Since": LATER}, Verdict.SEND),
        ({"If_None_Match": TAG, "If_Modified_Since": EARLIER}, Verdict.NOT_MODIFIED),
        # what refuses comes before what spares
        ({"If_Match": '"other"', "If_None_Match": TAG}, Verdict.FAILED),
        ({"If_Match": TAG, "If_None_Match": TAG}, Verdict.NOT_MODIFIED),
        ({"If_Unmodified_Since": EARLIER, "If_None_Match": TAG}, Verdict.FAILED),
        ({"If_Unmodified_Since": LATER, "If_Modified_Since": SAME}, Verdict.NOT_MODIFIED),
        # dates that are none are as if they had not come
        ({"If_Modified_Since": "yesterday"}, Verdict.SEND),
        ({"If_Unmodified_Since": "yesterday"}, Verdict.SEND),
    ],
)
def test_reading_follows_the_order_of_the_rfc(headers: Mapping[str, str], verdict: Verdict) -> None:
    assert conditions(**headers).verdict(STAT) is verdict


@pytest.mark.parametrize(
    ("headers", "exists", "holds"),
    [
        ({"If_None_Match": "*"}, True, False),
        ({"If_None_Match": "*"}, False, True),
        ({"If_Match": "*"}, True, True),
        ({"If_Match": "*"}, False, False),
        ({"If_Match": TAG}, False, False),
        ({"If_None_Match": TAG}, True, False),
        ({"If_None_Match": TAG}, False, True),
        ({"If_Unmodified_Since": EARLIER}, True, False),
        ({"If_Unmodified_Since": EARLIER}, False, True),
        ({"If_Modified_Since": LATER}, True, True),
    ],
)
def test_a_change_is_refused_when_its_condition_does_not_hold(
    headers: Mapping[str, str], exists: bool, holds: bool
) -> None:
    condition, stat = conditions(**headers).content, STAT if exists else None
    if holds:
        condition.require(stat)
    else:
        with pytest.raises(PreconditionNotMet):
            condition.require(stat)


@pytest.mark.parametrize(
    ("if_range", "is_partial"),
    [(TAG, True), ('"other"', False), (f"W/{TAG}", False), (SAME, True), (LATER, False), ("x", False)],
)
def test_a_range_counts_only_for_the_same_content(if_range: str, is_partial: bool) -> None:
    assert conditions(If_Range=if_range).allow_ranges(STAT) is is_partial


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "abc", '"a', 'a"', '"a" b', '"a""b"', "W/*", '"a\x01"', "*, *", ",".join(['"a"'] * 300)],
)
def test_a_malformed_entity_tag_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadData):
        parse_tags("If-Match", text, strong=True)


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_all_three_forms_of_dates_are_understood(text: str) -> None:
    assert parse_date(text) == MODIFIED_S


@pytest.mark.parametrize(
    "text",
    ["", "now", "99", "Sun, 99 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 99:99:99 GMT"],
)
def test_dates_that_are_none_are_ignored(text: str) -> None:
    assert parse_date(text) is None
    assert conditions(If_Modified_Since=text).verdict(STAT) is Verdict.SEND


def test_without_headers_nothing_is_made() -> None:
    assert conditions() is NO_CONDITIONS


@given(st.lists(st.text(alphabet="abc!#~\xff", max_size=5), min_size=1, max_size=9), st.data())
def test_every_list_of_tags_is_read_back(names: list[str], data: st.DataObject) -> None:
    weak = [data.draw(st.booleans()) for _ in names]
    commas = st.sampled_from([",", ", ", " ,\t", ",,"])
    text = "".join(
        f'{"W/" if is_weak else ""}"{name}"{data.draw(commas)}'
        for name, is_weak in zip(names, weak, strict=True)
    )
    assert parse_tags("x", text, strong=False).names == frozenset(names)
    strong = [name for name, is_weak in zip(names, weak, strict=True) if not is_weak]
    assert parse_tags("x", text, strong=True).names == frozenset(strong)


@given(st.integers(0, 253402300799))
def test_every_date_that_is_told_is_understood(time_s: int) -> None:
    assert parse_date(http_date(time_s).decode()) == time_s


@given(st.text(max_size=40))
def test_no_date_header_breaks_anything(text: str) -> None:
    found = parse_date(text)
    assert found is None or isinstance(found, int)


def test_a_state_tag_changes_with_content_and_with_every_attribute() -> None:
    assert STAT.state_tag.startswith(STAT.content_tag)
    assert evolve(STAT, revisions=(1, 0)).state_tag != STAT.state_tag
    assert evolve(STAT, revisions=(0, 1)).state_tag != STAT.state_tag
    assert evolve(STAT, content_version=19).state_tag != STAT.state_tag


def test_conditions_on_the_state_know_no_tags_of_contents() -> None:
    of_state = f'"{STAT.state_tag}"'
    for headers, tag, other in (
        ({"If_None_Match": of_state}, Verdict.NOT_MODIFIED, Verdict.SEND),
        ({"If_None_Match": TAG}, Verdict.SEND, Verdict.NOT_MODIFIED),
        ({"If_Match": of_state}, Verdict.SEND, Verdict.FAILED),
        ({"If_Match": TAG}, Verdict.FAILED, Verdict.SEND),
        ({"If_Match": "*"}, Verdict.SEND, Verdict.SEND),
    ):
        asked = conditions(**headers)
        assert (asked.of_state().verdict(STAT), asked.verdict(STAT)) == (tag, other)


def test_dates_of_the_state_count_changes_of_attributes() -> None:
    changed = evolve(STAT, ctime_s=MODIFIED_S + 10.0)
    since, until = conditions(If_Modified_Since=SAME), conditions(If_Unmodified_Since=SAME)
    assert (since.of_state().verdict(changed), since.verdict(changed)) == (Verdict.SEND, Verdict.NOT_MODIFIED)
    assert (until.of_state().verdict(changed), until.verdict(changed)) == (Verdict.FAILED, Verdict.SEND)
    assert since.of_state().verdict(STAT) is Verdict.NOT_MODIFIED

"""Scope and results specifications as a whole: shapes, limits, URIs, what is returned."""

from __future__ import annotations

from typing import Any

import pytest

from onedata.errors import (
    BadData,
    BadValueListNotAllowed,
    BadValueListOfStrings,
    BadValueNotAllowed,
    MissingRequiredValue,
    NotSupported,
    OnedataError,
)
from op_worker.queue_services.definitions import ServiceType, parse_definition
from op_worker.queue_services.events import Event
from op_worker.queue_services.results import parse_results
from op_worker.queue_services.scope import MAX_EXPRESSIONS, MAX_REGEXES, Candidate, matches, parse_scope
from op_worker.queue_services.uris import forms_of

FILE: dict[str, Any] = {
    "objectName": "song.mp3",
    "parentURI": "/Music/my%20songs/",
    "metadata": {
        "artist": "Fatboy Slim",
        "year": 1998,
        "tags": ["big beat", "dance"],
        "cdmi_acl": [{"identifier": "OWNER@", "acemask": "0x1"}, {"identifier": "BOB", "acemask": "0x2"}],
    },
}
URIS = {"parentURI": forms_of(FILE["parentURI"], ("AA", "BB"))}


def is_match(scope: list[Any]) -> bool:
    return matches(parse_scope(scope), Candidate(FILE, URIS))


def test_no_filter_matches_everything_and_an_empty_one_too() -> None:
    assert is_match([])
    assert is_match([{}])


def test_members_are_joined_by_and_filters_by_or() -> None:
    mp3, pop = {"objectName": "ends .mp3"}, {"metadata": {"genre": "*"}}
    assert not is_match([{**mp3, **pop}])
    assert is_match([pop, mp3])


def test_several_expressions_of_one_member_have_to_hold_together() -> None:
    assert is_match([{"metadata": {"year": ["#>= 1990", "#< 2000"]}}])
    assert not is_match([{"metadata": {"year": ["#>= 1990", "#< 1995"]}}])


def test_an_array_matches_by_any_of_its_elements() -> None:
    assert is_match([{"metadata": {"tags": ["== dance", "== big beat"]}}])
    assert not is_match([{"metadata": {"tags": "== pop"}}])
    assert is_match([{"metadata": {"cdmi_acl": [{"identifier": "== BOB", "acemask": "== 0x2"}]}}])
    assert not is_match([{"metadata": {"cdmi_acl": [{"identifier": "== BOB", "acemask": "== 0x1"}]}}])


@pytest.mark.parametrize(
    "uri",
    [
        "/Music/my%20songs/",
        "/Music/my songs/",
        "/cdmi/Music/my%20songs/",
        "https://example.org/cdmi/Music/my%20songs/",
        "Music/my songs/",
        "/cdmi_objectid/BB/",
        "/cdmi/cdmi_objectid/bb/",
        "/cdmi_objectid/aa/my%20songs/",
    ],
)
def test_a_uri_is_known_in_every_form(uri: str) -> None:
    assert is_match([{"parentURI": f"== {uri}"}])
    assert not is_match([{"parentURI": f"!= {uri}"}])
    assert is_match([{"parentURI": f"starts {uri[:-3]}"}])


def test_other_members_are_no_uris() -> None:
    assert not is_match([{"objectName": "== /cdmi/song.mp3"}])


@pytest.mark.parametrize(
    "scope",
    [
        {},
        "*",
        None,
        ["*"],
        [["*"]],
        [{"a": 1}],
        [{"a": None}],
        [{"a": "nonsense"}],
        [{"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": "*"}}}}}}}}}],
        [{"a": ["*"] * (MAX_EXPRESSIONS + 1)}],
        [{"a": ["=~ x"] * (MAX_REGEXES + 1)}],
    ],
)
def test_what_is_no_scope_is_refused(scope: Any) -> None:
    with pytest.raises(BadData) as refusal:
        parse_scope(scope)
    assert refusal.value.key == "cdmi_scope_specification"


def test_results_are_the_members_named_in_the_order_of_the_representation() -> None:
    found = parse_results({"metadata": {"year": "", "genre": ""}, "objectName": "", "size": ""}).of(FILE)
    assert found == {"objectName": "song.mp3", "metadata": {"year": 1998}}
    assert list(found) == ["objectName", "metadata"]


def test_an_empty_text_wants_everything() -> None:
    assert parse_results("").of(FILE) == FILE
    assert parse_results({"metadata": ""}).of(FILE) == {"metadata": FILE["metadata"]}
    assert parse_results({"metadata": {}}).of(FILE) == {"metadata": FILE["metadata"]}


def test_parts_of_the_elements_of_an_array_can_be_chosen() -> None:
    found = parse_results({"metadata": {"cdmi_acl": {"identifier": ""}}}).of(FILE)
    assert found == {"metadata": {"cdmi_acl": [{"identifier": "OWNER@"}, {"identifier": "BOB"}]}}


@pytest.mark.parametrize("given", [[], "all", None, {str(at): "" for at in range(300)}])
def test_what_is_no_results_specification_is_refused(given: Any) -> None:
    with pytest.raises(BadData) as refusal:
        parse_results(given)
    assert refusal.value.key == "cdmi_results_specification"


QUERY = {
    "cdmi_queue_type": "cdmi_query_queue",
    "cdmi_scope_specification": [],
    "cdmi_results_specification": "",
}
NOTIFICATION = {**QUERY, "cdmi_queue_type": "cdmi_notification_queue", "cdmi_notification_events": []}


def test_no_events_stand_for_all_of_them() -> None:
    assert parse_definition(NOTIFICATION).events == frozenset(Event)
    chosen = parse_definition({**NOTIFICATION, "cdmi_notification_events": ["cdmi_delete", "cdmi_read"]})
    assert chosen.events == {Event.DELETE, Event.READ}
    assert parse_definition(QUERY).type is ServiceType.QUERY


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ({**QUERY, "cdmi_queue_type": "cdmi_logging_queue"}, NotSupported),
        ({**QUERY, "cdmi_queue_type": "other"}, BadValueNotAllowed),
        ({**QUERY, "cdmi_queue_type": ["cdmi_query_queue"]}, BadValueNotAllowed),
        ({**QUERY, "cdmi_queue_type": "cdmi_notification_queue"}, MissingRequiredValue),
        ({name: QUERY[name] for name in list(QUERY)[:2]}, MissingRequiredValue),
        ({**NOTIFICATION, "cdmi_notification_events": "cdmi_delete"}, BadValueListOfStrings),
        ({**NOTIFICATION, "cdmi_notification_events": [1]}, BadValueListOfStrings),
        ({**NOTIFICATION, "cdmi_notification_events": ["cdmi_explode"]}, BadValueListNotAllowed),
    ],
)
def test_a_definition_that_cannot_be_is_refused(items: Any, error: type[OnedataError]) -> None:
    with pytest.raises(error):
        parse_definition(items)

"""Versions, media types and Accept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadVersion
from op_worker.http.cdmi.requests.negotiation import (
    Kind,
    choose_offer,
    choose_version,
    is_storable_mimetype,
    names_cdmi_type,
    parse_media_type,
)


@pytest.mark.parametrize(
    ("header", "version"),
    [("1.1.1", "1.1.1"), ("1.1", "1.1"), ("1.1, 1.1.1", "1.1.1"), (" 1.0.1 ,\t1.1 ,2", "1.1"), (None, None)],
)
def test_highest_common_version_is_chosen(header: str | None, version: str | None) -> None:
    assert choose_version(header) == version


@pytest.mark.parametrize("header", ["", ",", "aaa", "1.2", "1.1.1.1", "1.0.1h"])
def test_versions_with_nothing_in_common_are_refused(header: str) -> None:
    with pytest.raises(BadVersion) as refusal:
        choose_version(header)
    assert refusal.value.details == {"supportedVersions": ["1.1.1", "1.1"]}


def test_cdmi_types_are_known_with_suffix_case_and_parameters() -> None:
    for text in (
        "application/cdmi-object",
        "Application/CDMI-Object+json",
        "application/cdmi-object; charset=utf-8",
    ):
        sent = parse_media_type(text)
        assert sent is not None and sent.kind is Kind.OBJECT


def test_charset_utf8_is_noticed_and_leaves_the_mimetype() -> None:
    sent = parse_media_type('Text/Plain; format=flowed; charset="UTF-8"')
    assert sent is not None
    assert (sent.says_utf8, sent.mimetype) == (True, "text/plain; format=flowed")


def test_other_charsets_stay_in_the_mimetype() -> None:
    sent = parse_media_type("text/plain;charset=iso-8859-2")
    assert sent is not None
    assert (sent.says_utf8, sent.mimetype) == (False, "text/plain; charset=iso-8859-2")


def test_absent_and_empty_content_types_are_none() -> None:
    assert parse_media_type(None) is None
    assert parse_media_type("  ") is None


@pytest.mark.parametrize("text", ["", "text", "text/plain\r\nX: 1", "text/\u017c", "t/" + "x" * 300])
def test_mimetypes_that_do_not_fit_a_header_are_not_storable(text: str) -> None:
    assert not is_storable_mimetype(text)


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        (None, "a/x"),
        ("", "a/x"),
        ("*/*", "a/x"),
        ("b/y", "b/y"),
        ("a/*", "a/x"),
        ("a/x;q=0.2, b/y;level=1;q=0.7", "b/y"),
        ("*/*, a/x;q=0", "b/y"),
        ("a/*;q=0.1, */*;q=0.9", "b/y"),
        ("c/z", None),
        ("a/x;q=0", None),
    ],
)
def test_accept_is_weighed_by_quality_and_precision(accept: str | None, offer: str | None) -> None:
    assert choose_offer(accept, ("a/x", "b/y")) == offer


def test_cdmi_types_named_in_accept_are_noticed() -> None:
    assert names_cdmi_type("text/html, application/cdmi-object;q=0.5")
    assert not names_cdmi_type("application/*") and not names_cdmi_type(None)


@given(st.text(max_size=60))
def test_any_header_is_negotiated_without_an_error(text: str) -> None:
    choose_offer(text, ("a/x",))
    parse_media_type(text)

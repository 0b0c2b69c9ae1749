"""Requests as values, and the forms they ask for."""

from __future__ import annotations

import pytest

from onedata.errors import BadData, BadValueIdentifier, MissingRequiredValue, NotSupported
from op_worker.http.cdmi.requests.queries import Span
from op_worker.http.cdmi.requests.request import (
    CdmiRequest,
    Form,
    object_read_form,
    parse_content_range,
    parse_request,
    write_form,
)

V = {"X-CDMI-Specification-Version": "1.1.1"}


def request(path: bytes = b"/S/f", method: str = "GET", **headers: str) -> CdmiRequest:
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return parse_request(method, path, b"", lambda name: named.get(name.lower()))


def versioned(path: bytes = b"/S/f", **headers: str) -> CdmiRequest:
    return request(path, X_CDMI_Specification_Version="1.1.1", **headers)


def test_headers_become_fields_of_the_request() -> None:
    asked = versioned(X_CDMI_Partial="TRUE", Host="h", Range="bytes=0-1", Accept="a/b")
    assert (asked.version, asked.is_partial, asked.host) == ("1.1.1", True, "h")
    assert (asked.ranges, asked.accept) == ("bytes=0-1", "a/b")


@pytest.mark.parametrize(
    ("path", "content_type", "form"),
    [
        (b"/S/f", "application/cdmi-object", Form.CDMI),
        (b"/S/d/", "application/cdmi-container", Form.CDMI),
        (b"/S/f", "text/plain", Form.PLAIN),
        (b"/S/d/", "text/plain", Form.PLAIN),
    ],
)
def test_media_type_and_slash_choose_the_form_of_a_write(path: bytes, content_type: str, form: Form) -> None:
    assert write_form(versioned(path, Content_Type=content_type)) is form


def test_write_without_media_type_is_plain_even_with_a_version() -> None:
    assert write_form(versioned()) is Form.PLAIN


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (b"/S/f/", "application/cdmi-object"),
        (b"/S/d", "application/cdmi-container"),
        (b"/S/d", "application/cdmi-capability"),
    ],
)
def test_media_type_that_does_not_fit_the_slash_is_refused(path: bytes, content_type: str) -> None:
    with pytest.raises(BadValueIdentifier) as refusal:
        write_form(versioned(path, Content_Type=content_type))
    assert refusal.value.key == "path"


def test_cdmi_write_without_a_version_is_refused() -> None:
    with pytest.raises(MissingRequiredValue) as refusal:
        write_form(request(Content_Type="application/cdmi-object"))
    assert refusal.value.key == "version"


def test_multipart_is_a_form_of_its_own_when_a_version_is_said() -> None:
    sent = "multipart/mixed; boundary=b"
    assert write_form(versioned(Content_Type=sent)) is Form.MULTIPART
    assert write_form(request(Content_Type=sent)) is Form.PLAIN
    with pytest.raises(BadValueIdentifier):
        write_form(versioned(b"/Science/d/", Content_Type=sent))


@pytest.mark.parametrize("content_type", ["application/cdmi-queue", "application/cdmi-domain"])
def test_kinds_that_are_not_advertised_are_refused(content_type: str) -> None:
    with pytest.raises(NotSupported):
        write_form(versioned(Content_Type=content_type))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.CDMI),
        ("*/*", Form.CDMI),
        ("application/cdmi-object+json", Form.CDMI),
        ("application/binary", Form.PLAIN),
        ("multipart/mixed", Form.MULTIPART),
        ("multipart/mixed, application/cdmi-object;q=0.5", Form.MULTIPART),
        ("image/png", None),
        ("application/cdmi-container", None),
    ],
)
def test_read_with_a_version_is_negotiated(accept: str | None, form: Form | None) -> None:
    asked = versioned() if accept is None else versioned(Accept=accept)
    assert object_read_form(asked) is form


def test_own_mimetype_is_offered_when_it_is_known() -> None:
    assert object_read_form(versioned(Accept="image/png"), "image/png") is Form.PLAIN
    assert object_read_form(request(Accept="text/*"), "text/plain; charset=latin-2") is Form.PLAIN


def test_read_without_a_version_is_plain() -> None:
    assert object_read_form(request()) is Form.PLAIN
    assert object_read_form(request(Accept="application/cdmi-object, */*;q=0.1")) is Form.PLAIN
    assert object_read_form(request(Accept="image/png")) is None


def test_cdmi_read_without_a_version_is_refused() -> None:
    with pytest.raises(MissingRequiredValue):
        object_read_form(request(Accept="application/cdmi-object"))


@pytest.mark.parametrize("header", ["bytes 2-5/10", "bytes 2-5/*", " bytes  2-5/6 "])
def test_content_range_with_or_without_size_is_read(header: str) -> None:
    assert parse_content_range(header, 4) == Span(2, 5)
    assert parse_content_range(header, None) == Span(2, 5)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes 5-2/10",
        "items 2-5/10",
        "bytes 2-5",
        "bytes=2-5/10",
        "bytes 2-5/5",
        "bytes 0-1/4,2-3/4",
        "bytes 2-6/*",
        "bytes 0-99999999999999999999/*",
    ],
)
def test_malformed_content_range_is_refused(header: str) -> None:
    with pytest.raises(BadData) as refusal:
        parse_content_range(header, 4)
    assert refusal.value.key == "content-range"

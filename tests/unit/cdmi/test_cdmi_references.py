"""URIs of references: what may be referred to, and what a symbolic link's text must be to be one."""

from __future__ import annotations

import pytest

from onedata.errors import BadData
from op_worker.http.cdmi.requests.references import is_reference, reference_uri


def origin() -> str:
    return "https://host:8443"


@pytest.mark.parametrize("text", ["http://x", "https://x/a%20b?c=d#e", "http://[::1]:80/"])
def test_absolute_uris_are_references(text: str) -> None:
    assert is_reference(text)
    assert reference_uri(text, origin) == text


@pytest.mark.parametrize(
    "text", ["", "x", "/x", "http:/x", "HTTP://x", "ftp://x", "http://a b", "http://x\r\ny: z"]
)
def test_other_texts_are_none(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("sent", "uri"),
    [
        ("/S/a", "https://host:8443/cdmi/S/a"),
        ("S//a/", "https://host:8443/cdmi/S/a/"),
        ("/cdmi/S/a", "https://host:8443/cdmi/S/a"),
        ("cdmi/a", "https://host:8443/cdmi/cdmi/a"),
        ("/S/ä b%20c", "https://host:8443/cdmi/S/%C3%A4%20b%20c"),
        ("/S/a?value", "https://host:8443/cdmi/S/a?value"),
    ],
)
def test_relative_uris_begin_at_the_root(sent: str, uri: str) -> None:
    assert reference_uri(sent, origin) == uri


@pytest.mark.parametrize(
    "sent", ["", "/", "//", "//x/y", "mailto:x", "c:/x", "http://", "http://a b", "https://x/\n"]
)
def test_what_names_nothing_is_refused(sent: str) -> None:
    with pytest.raises(BadData) as caught:
        reference_uri(sent, origin)
    assert (caught.value.details or {})["key"] == "reference"

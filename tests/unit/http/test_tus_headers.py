"""The headers of tus: numbers, metadata, checksums."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, BadValueInteger, BadValueTooLow, MissingRequiredValue, OnedataError
from op_worker.files.stored.digests import Digest
from op_worker.http.tus.headers import (
    MAX_METADATA_B,
    Wanted,
    number,
    parse_checksum,
    parse_metadata,
    parse_wanted,
)


def encoded(**pairs: str) -> str:
    """Write metadata as a client does."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, MissingRequiredValue),
        ("", BadValueInteger),
        ("x", BadValueInteger),
        ("1.5", BadValueInteger),
        ("9" * 19, BadValueInteger),
        ("+1", BadValueInteger),
        ("-1", BadValueTooLow),
    ],
)
def test_what_is_no_number_is_refused(text: str | None, error: type[OnedataError]) -> None:
    with pytest.raises(error):
        number(lambda _: text, "Upload-Length")


def test_a_number_is_taken() -> None:
    assert number(lambda _: " 12 ", "Upload-Offset") == 12


@given(st.dictionaries(st.sampled_from(["a", "filename", "x-y"]), st.text(max_size=20)))
def test_every_metadata_is_read_back(pairs: dict[str, str]) -> None:
    assert parse_metadata(encoded(**pairs)) == pairs


def test_a_key_without_a_value_has_an_empty_one() -> None:
    assert parse_metadata("is_secret, b YQ==") == {"is_secret": "", "b": "a"}
    assert parse_metadata("  ") == {}


@pytest.mark.parametrize(
    "text", [",", "a YQ==,a YQ==", "a !", "a /w==", "\x01 YQ==", "x" * (MAX_METADATA_B + 1)]
)
def test_malformed_metadata_is_refused(text: str) -> None:
    with pytest.raises(BadData):
        parse_metadata(text)


def test_metadata_says_where_a_file_is_to_be_made() -> None:
    assert parse_wanted({"filename": "f", "spaceId": "s"}) == Wanted(name="f", space_id="s")
    full = {"name": "f", "path": "/s/d", "mode": "640", "overwrite": "true", "filetype": "x"}
    assert parse_wanted(full) == Wanted(name="f", path="/s/d", mode=0o640, overwrites=True)


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"spaceId": "s"},
        {"filename": "", "spaceId": "s"},
        {"filename": "f"},
        {"filename": "f", "spaceId": "s", "path": "/s"},
        {"filename": "f", "spaceId": "s", "mode": "9"},
        {"filename": "f", "spaceId": "s", "mode": "7777"},
        {"filename": "f", "spaceId": "s", "overwrite": "maybe"},
    ],
)
def test_metadata_that_names_no_place_is_refused(pairs: dict[str, str]) -> None:
    with pytest.raises(OnedataError):
        parse_wanted(pairs)


@pytest.mark.parametrize(("name", "algorithm"), [("sha1", "sha"), ("sha256", "sha-256"), ("md5", "md5")])
def test_a_checksum_is_taken(name: str, algorithm: str) -> None:
    value = hashlib.new(name, b"x").digest()
    assert parse_checksum(f"{name} {base64.b64encode(value).decode()}") == (Digest(algorithm, value),)
    assert parse_checksum(None) == ()


@pytest.mark.parametrize("text", ["", "sha256", "sha256 !", "sha256 YQ==", "crc32 YQ=="])
def test_a_malformed_checksum_is_refused(text: str) -> None:
    with pytest.raises(BadData):
        parse_checksum(text)

"""Digest headers: what comes with bodies, what is wanted in answers."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData
from op_worker.files.stored.digests import ALGORITHMS, Digest
from op_worker.http.digests import (
    NO_DIGESTS,
    SentDigests,
    old_digest,
    repr_digest,
    sent_digests,
    wants_old_digest,
    wants_repr_digest,
)

DATA = b"content"
SHA256 = hashlib.sha256(DATA).digest()
MD5 = hashlib.md5(DATA).digest()


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def sent(**headers: str) -> SentDigests:
    """Parse headers, given with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return sent_digests(given.get)


def test_digests_of_the_body_and_of_the_whole_are_told_apart() -> None:
    found = sent(
        Content_Digest=f"sha-256=:{base64_of(SHA256)}:",
        Content_MD5=base64_of(MD5),
        Repr_Digest=f"md5=:{base64_of(MD5)}:",
        Digest=f"SHA-256={base64_of(SHA256)}",
    )
    assert found.of_body == (Digest("sha-256", SHA256), Digest("md5", MD5))
    assert found.of_whole == (Digest("md5", MD5), Digest("sha-256", SHA256))
    assert len(found.for_whole()) == 4
    with pytest.raises(BadData):
        found.for_part()


def test_unknown_algorithms_are_left_out() -> None:
    assert sent(Content_Digest="crc32c=:AAAA:, unixsum=:AA==:", Digest="ADLER32=03da0195") == NO_DIGESTS
    assert sent() is NO_DIGESTS


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Digest": "sha-256"},
        {"Content_Digest": "sha-256=abc"},
        {"Content_Digest": f"sha-256=:{base64_of(MD5)}:"},
        {"Content_Digest": "sha-256=:====:"},
        {"Content_Digest": ",".join(["a=:AA==:"] * 99)},
        {"Repr_Digest": "sha-256=:?:"},
        {"Digest": "sha-256"},
        {"Digest": "sha-256=x"},
        {"Content_MD5": "zz"},
        {"Content_MD5": base64_of(SHA256)},
    ],
)
def test_a_malformed_digest_is_a_bad_request(headers: dict[str, str]) -> None:
    with pytest.raises(BadData):
        sent(**headers)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("sha-256=5", True),
        ("sha-256=0", False),
        ("sha-512=3, sha-256=1", True),
        ("md5=9", None),
    ],
)
def test_a_wish_for_a_digest_is_understood(text: str | None, wanted: bool | None) -> None:
    assert wants_repr_digest(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, False),
        ("SHA-256", True),
        ("md5;q=1, sha-256;q=0.3", True),
        ("sha-256;q=0", False),
        ("md5", False),
    ],
)
def test_an_old_wish_for_a_digest_is_understood(text: str | None, wanted: bool) -> None:
    assert wants_old_digest(text) is wanted


@given(st.binary(max_size=100), st.sampled_from(sorted(ALGORITHMS)))
def test_every_digest_that_is_written_is_read_back(data: bytes, algorithm: str) -> None:
    value = ALGORITHMS[algorithm]()
    value.update(data)
    text = base64_of(value.digest())
    assert sent(Content_Digest=f"{algorithm}=:{text}:").of_body == (Digest(algorithm, value.digest()),)


def test_answers_tell_the_digest_in_both_forms() -> None:
    assert sent(Repr_Digest=repr_digest(SHA256).decode()).of_whole == (Digest("sha-256", SHA256),)
    assert sent(Digest=old_digest(SHA256).decode()).of_whole == (Digest("sha-256", SHA256),)

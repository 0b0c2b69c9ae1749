"""Digest headers: those of RFC 9530, and the older ``Digest`` and ``Content-MD5``. Pure."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from attrs import frozen

from onedata.errors import BadData
from op_worker.files.stored.digests import ALGORITHMS, Digest
from op_worker.http.conditions import Header

_MOST = 16
_ITEM = re.compile(r"\s*([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/=]*):\s*(?:;[^,]*)?")
_WANTED = re.compile(r"\s*([a-z*][a-z0-9_\-.*]*)\s*(?:=\s*([0-9]{1,2}))?\s*")
_WANTED_OLD = re.compile(r"\s*([A-Za-z0-9\-]+)\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*")
_OLD_NAMES = {"sha-256": "sha-256", "sha-512": "sha-512", "sha": "sha", "md5": "md5"}
_SIZES = {name: make().digest_size for name, make in ALGORITHMS.items()}


@frozen(kw_only=True)
class SentDigests:
    """Digests that came with a body. ``of_body`` are of its bytes, ``of_whole`` of the whole content."""

    of_body: tuple[Digest, ...] = ()
    of_whole: tuple[Digest, ...] = ()

    def for_whole(self) -> tuple[Digest, ...]:
        """Return what a body that is the whole content must agree with."""
        return (*self.of_body, *self.of_whole)

    def for_part(self) -> tuple[Digest, ...]:
        """Return what a body that is a part of the content must agree with.

        Raises:
            BadData: a digest of the whole came, which cannot be checked.
        """
        if self.of_whole:
            raise BadData("Repr-Digest", "it is of the whole content; send Content-Digest with a part")
        return self.of_body


NO_DIGESTS = SentDigests()


def sent_digests(header: Header) -> SentDigests:
    """Return the digests in the headers of a request; unknown algorithms are left out.

    Raises:
        BadData: a malformed one, or one of a wrong length; the key is the header.
    """
    content, representation = header("Content-Digest"), header("Repr-Digest")
    old, md5 = header("Digest"), header("Content-MD5")
    if content is representation is old is md5 is None:
        return NO_DIGESTS
    of_body = list(_items("Content-Digest", content or ""))
    if md5 is not None:
        of_body.append(_digest("Content-MD5", "md5", md5.strip()))
    of_whole = [*_items("Repr-Digest", representation or ""), *_old_items(old or "")]
    return SentDigests(of_body=tuple(of_body), of_whole=tuple(of_whole))


def _items(name: str, text: str) -> Iterator[Digest]:
    """Parse a dictionary of byte sequences (RFC 8941): ``sha-256=:…:, …``."""
    parts = text.split(",") if text else []
    if len(parts) > _MOST:
        raise BadData(name, f"more than {_MOST} digests")
    for part in parts:
        found = _ITEM.fullmatch(part)
        if found is None:
            raise BadData(name, "expected: ALGORITHM=:BASE64:, …")
        if found[1] in ALGORITHMS:
            yield _digest(name, found[1], found[2])


def _old_items(text: str) -> Iterator[Digest]:
    parts = text.split(",") if text else []
    if len(parts) > _MOST:
        raise BadData("Digest", f"more than {_MOST} digests")
    for part in parts:
        algorithm, mark, value = part.strip().partition("=")
        if not mark:
            raise BadData("Digest", "expected: ALGORITHM=BASE64, …")
        known = _OLD_NAMES.get(algorithm.strip().lower())
        if known is not None:
            yield _digest("Digest", known, value.strip())


def _digest(name: str, algorithm: str, text: str) -> Digest:
    try:
        value = binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, binascii.Error):
        raise BadData(name, f"the {algorithm} digest is not base64") from None
    if len(value) != _SIZES[algorithm]:
        raise BadData(name, f"a {algorithm} digest has {_SIZES[algorithm]} bytes")
    return Digest(algorithm, value)


def repr_digest(sha256: bytes) -> bytes:
    """Return the value of ``Repr-Digest`` for a content."""
    return b"sha-256=:%b:" % binascii.b2a_base64(sha256, newline=False)


def old_digest(sha256: bytes) -> bytes:
    """Return the value of ``Digest`` for a content."""
    return b"sha-256=%b" % binascii.b2a_base64(sha256, newline=False)


def wants_digest(header: Header) -> bool:
    """Whether a request asks for SHA-256 in either form."""
    is_asked = wants_repr_digest(header("Want-Repr-Digest")) is True
    return is_asked or wants_old_digest(header("Want-Digest"))


def wants_repr_digest(text: str | None) -> bool | None:
    """Whether ``Want-Repr-Digest`` asks for SHA-256: ``None`` when it says nothing about it."""
    return _wants(text, _WANTED)


def wants_old_digest(text: str | None) -> bool:
    """Whether ``Want-Digest`` asks for SHA-256."""
    return _wants(text, _WANTED_OLD) is True


def _wants(text: str | None, pattern: re.Pattern[str]) -> bool | None:
    if text is None:
        return None
    for part in text.split(",")[:_MOST]:
        found = pattern.fullmatch(part)
        if found is not None and found[1].lower() == "sha-256":
            return found[2] is None or found[2].strip("0.") != ""
    return None

"""The headers of tus 1.0.0: what a request asks for. Pure."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping

from attrs import frozen

from onedata.errors import (
    BadData,
    BadValueInteger,
    BadValueNotInRange,
    BadValueOctal,
    BadValueTooLow,
    MissingRequiredValue,
)
from op_worker.files.stored.digests import ALGORITHMS, Digest
from op_worker.http.conditions import Header

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
CHECKSUMS = {"sha1": "sha", "sha256": "sha-256", "md5": "md5"}
"""The names of tus for the algorithms that are checked."""
BODY = "application/offset+octet-stream"
MAX_METADATA_B = 8192
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[!-+\--~]+")


@frozen(kw_only=True)
class Wanted:
    """What ``Upload-Metadata`` says; one of ``parent_id``, ``path`` and ``space_id`` names the directory.

    Attributes:
        path: absolute, its first name is that of a space.
    """

    name: str
    parent_id: str | None = None
    path: str | None = None
    space_id: str | None = None
    mode: int | None = None
    overwrites: bool = False


def number(header: Header, name: str) -> int:
    """Return a header that is a whole number.

    Raises:
        MissingRequiredValue, BadValueTooLow, BadValueInteger: of the header.
    """
    text = header(name)
    if text is None:
        raise MissingRequiredValue(name)
    text = text.strip()
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        raise BadValueTooLow(name, 0)
    if _NUMBER.fullmatch(text) is None:
        raise BadValueInteger(name)
    return int(text)


def parse_metadata(text: str) -> Mapping[str, str]:
    """Return the pairs of ``Upload-Metadata``.

    Raises:
        BadData: it is malformed, too long, or not UTF-8.
    """
    if len(text) > MAX_METADATA_B:
        raise BadData("Upload-Metadata", f"longer than {MAX_METADATA_B} bytes")
    found: dict[str, str] = {}
    for part in text.split(",") if text.strip() else ():
        key, _, value = part.strip().partition(" ")
        if _KEY.fullmatch(key) is None or key in found:
            raise BadData("Upload-Metadata", "expected: KEY BASE64, …, each key once")
        try:
            found[key] = binascii.a2b_base64(value.strip(), strict_mode=True).decode()
        except ValueError:
            raise BadData("Upload-Metadata", f"the value of {key} is not base64 of UTF-8 text") from None
    return found


def parse_wanted(pairs: Mapping[str, str]) -> Wanted:
    """Return what an upload is to become.

    Raises:
        OnedataError: the error of the first key that is missing or wrong.
    """
    name = pairs.get("filename") or pairs.get("name")
    if not name:
        raise MissingRequiredValue("filename")
    places = {key: pairs.get(key) or None for key in ("parentId", "path", "spaceId")}
    if sum(value is not None for value in places.values()) != 1:
        raise BadData("Upload-Metadata", "exactly one of parentId, path and spaceId names the directory")
    return Wanted(
        name=name,
        parent_id=places["parentId"],
        path=places["path"],
        space_id=places["spaceId"],
        mode=_mode(pairs.get("mode")),
        overwrites=_flag(pairs.get("overwrite", "false")),
    )


def parse_checksum(text: str | None) -> tuple[Digest, ...]:
    """Return what ``Upload-Checksum`` demands of a body.

    Raises:
        BadData: an algorithm that is not offered, or a value that is no digest.
    """
    if text is None:
        return ()
    name, _, value = text.strip().partition(" ")
    algorithm = CHECKSUMS.get(name.lower())
    if algorithm is None:
        raise BadData("Upload-Checksum", f"the algorithms are {', '.join(CHECKSUMS)}")
    try:
        digest = binascii.a2b_base64(value.strip(), strict_mode=True)
    except ValueError:
        raise BadData("Upload-Checksum", "the value is not base64") from None
    if len(digest) != ALGORITHMS[algorithm]().digest_size:
        raise BadData("Upload-Checksum", f"this is no {name} digest")
    return (Digest(algorithm, digest),)


def _mode(text: str | None) -> int | None:
    if text is None:
        return None
    if re.fullmatch(r"[0-7]{1,6}", text) is None:
        raise BadValueOctal("mode")
    mode = int(text, 8)
    if mode > 0o1777:
        raise BadValueNotInRange("mode", 0, 0o1777)
    return mode


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadData("overwrite", "true or false")
    return text == "true"

"""What a WebDAV server says of its resources: the XML of PROPFIND, read while it comes. Pure."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

from attrs import define, field, frozen
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.web.answers import Version, seconds

ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"
)
"""Asks for what ``Resource`` tells."""
QUOTA_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<quota-available-bytes/><quota-used-bytes/></prop></propfind>"
)
"""Asks how full the storage is."""
_MOST_TEXT = 64 * 1024
_TEXTS = frozenset(
    f"{{DAV:}}{name}"
    for name in (
        "href",
        "status",
        "getcontentlength",
        "getlastmodified",
        "getetag",
        "quota-available-bytes",
        "quota-used-bytes",
    )
)


@frozen
class Resource:
    """What is at a URL. ``href`` is as the server writes it; quotas are in bytes, ``None`` where untold."""

    href: str
    is_directory: bool = False
    version: Version = field(factory=Version)
    available_b: int | None = None
    used_b: int | None = None

    @property
    def size_b(self) -> int:
        return self.version.size_b

    @property
    def mtime_s(self) -> float:
        return seconds(self.version.modified)


class Multistatus:
    """Reads the answer to a PROPFIND as it comes; resources are given as soon as they are whole."""

    def __init__(self) -> None:
        self._target = _Target()
        self._parser: Any = DefusedXMLParser(target=self._target, forbid_dtd=True)

    def feed(self, data: bytes) -> Sequence[Resource]:
        """Return the resources that ``data`` completes. Raises: StorageError(EIO) when it is no such XML."""
        try:
            self._parser.feed(data)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise StorageError(errno.EIO, "", f"the server's list cannot be read: {error}") from error
        found, self._target.found = self._target.found, []
        return found

    def end(self) -> None:
        """Raises: StorageError(EIO) when the answer is not whole."""
        try:
            self._parser.close()
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise StorageError(errno.EIO, "", f"the server's list breaks off: {error}") from error


@define
class _Properties:
    texts: dict[str, str] = field(factory=dict)
    is_directory: bool = False


class _Target:
    """Collects the few elements that count; those of a ``propstat`` count when its status is a success."""

    def __init__(self) -> None:
        self.found: list[Resource] = []
        self._texts: list[str] | None = None
        self._text_b = 0
        self._whole, self._part = _Properties(), _Properties()
        self._is_in_part = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "{DAV:}response":
            self._whole = _Properties()
        elif tag == "{DAV:}propstat":
            self._part, self._is_in_part = _Properties(), True
        elif tag == "{DAV:}collection":
            self._part.is_directory = True
        elif tag in _TEXTS:
            self._texts, self._text_b = [], 0

    def data(self, text: str) -> None:
        if self._texts is not None:
            self._text_b += len(text)
            if self._text_b > _MOST_TEXT:
                raise ValueError("a property is too long")
            self._texts.append(text)

    def end(self, tag: str) -> None:
        if tag in _TEXTS and self._texts is not None:
            properties = self._part if self._is_in_part else self._whole
            properties.texts[tag.removeprefix("{DAV:}")] = "".join(self._texts).strip()
            self._texts = None
        elif tag == "{DAV:}propstat":
            self._end_part()
        elif tag == "{DAV:}response" and _is_success(self._whole.texts.get("status")):
            self.found.append(_resource(self._whole))

    def close(self) -> None:
        """The end of the document."""

    def _end_part(self) -> None:
        self._is_in_part = False
        if _is_success(self._part.texts.pop("status", None)):
            self._whole.texts |= self._part.texts
            self._whole.is_directory |= self._part.is_directory


def _is_success(status: str | None) -> bool:
    """Whether a status line, such as ``HTTP/1.1 200 OK``, is of the 200s; none at all is fine."""
    return status is None or status.partition(" ")[2].startswith("2")


def _resource(properties: _Properties) -> Resource:
    texts = properties.texts
    version = Version(
        texts.get("getetag", ""),
        _number(texts.get("getcontentlength")) or 0,
        texts.get("getlastmodified", ""),
    )
    return Resource(
        texts.get("href", ""),
        properties.is_directory,
        version,
        _number(texts.get("quota-available-bytes")),
        _number(texts.get("quota-used-bytes")),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None

"""Versions and media types of CDMI requests and responses. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from attrs import field, frozen

from onedata.errors import BadVersion

SUPPORTED_VERSIONS = ("1.1.1", "1.1")
VERSION_HEADER = "X-CDMI-Specification-Version"
PARTIAL_HEADER = "X-CDMI-Partial"
MUST_EXIST_HEADER = "X-CDMI-MustExist"
NO_CLOBBER_HEADER = "X-CDMI-NoClobber"
CDMI_HEADERS = (VERSION_HEADER, PARTIAL_HEADER, MUST_EXIST_HEADER, NO_CLOBBER_HEADER)
LIST_HEADERS = frozenset(
    {
        VERSION_HEADER,
        "Accept",
        "If-Match",
        "If-None-Match",
        "Content-Digest",
        "Repr-Digest",
        "Digest",
    }
)
"""Headers that may be sent in several lines; of other ones the last line counts."""
_PRINTABLE = re.compile(r"[!-~]+/[ -~]+")
_MAX_MIMETYPE_LENGTH = 255


class Kind(Enum):
    """The kinds of CDMI resources, by media type."""

    OBJECT = "application/cdmi-object"
    CONTAINER = "application/cdmi-container"
    CAPABILITY = "application/cdmi-capability"
    DOMAIN = "application/cdmi-domain"
    QUEUE = "application/cdmi-queue"


_KINDS = {kind.value + suffix: kind for kind in Kind for suffix in ("", "+json")}


@frozen
class MediaType:
    """A ``Content-Type``: ``essence`` is lower-case ``type/subtype``; parameter names are lower-case."""

    essence: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> Kind | None:
        """Which CDMI resource the type means, if any."""
        return _KINDS.get(self.essence)

    @property
    def says_utf8(self) -> bool:
        """Whether the content is declared to be UTF-8 text."""
        return any(name == "charset" and value.lower() == "utf-8" for name, value in self.parameters)

    @property
    def mimetype(self) -> str:
        """What is stored as the object's mimetype: everything but a ``charset`` of UTF-8."""
        kept = [
            f"{name}={value}"
            for name, value in self.parameters
            if name != "charset" or value.lower() != "utf-8"
        ]
        return "; ".join([self.essence, *kept])


def parse_media_type(header: str | None) -> MediaType | None:
    """Parse a ``Content-Type`` header; ``None`` when it is absent or empty."""
    if header is None or not header.strip():
        return None
    essence, *rest = header.split(";")
    pairs = (part.partition("=") for part in rest if part.strip())
    parameters = tuple((name.strip().lower(), value.strip().strip('"')) for name, _, value in pairs)
    return MediaType(essence.strip().lower(), parameters)


def is_storable_mimetype(mimetype: str) -> bool:
    """Whether a mimetype can be sent back in a header: printable ASCII, ``type/subtype…``, not long."""
    return len(mimetype) <= _MAX_MIMETYPE_LENGTH and _PRINTABLE.fullmatch(mimetype) is not None


def choose_version(header: str | None) -> str | None:
    """Return the highest version both sides speak; ``None`` for a request without a version.

    Raises:
        BadVersion: the header lists nothing that is supported.
    """
    if header is None:
        return None
    asked = {entry.strip() for entry in header.split(",")}
    for version in SUPPORTED_VERSIONS:
        if version in asked:
            return version
    raise BadVersion(list(SUPPORTED_VERSIONS))


@frozen
class _Accepted:
    pattern: str
    quality: float = field(default=1.0)

    def specificity(self, offer: str) -> int:
        """How exactly the pattern names the offer: 3 exact, 2 whole type, 1 anything, 0 not at all."""
        if self.pattern == offer:
            return 3
        if self.pattern.endswith("/*") and self.pattern != "*/*":
            return 2 if offer.startswith(self.pattern[:-1]) else 0
        return 1 if self.pattern in ("*/*", "*") else 0


def choose_offer(accept: str | None, offers: Sequence[str]) -> str | None:
    """Return the offer that ``Accept`` likes best, the earlier one of equals; ``None`` for none.

    Args:
        offers: media types in the server's order of preference.
    """
    if accept is None or not accept.strip():
        return offers[0] if offers else None
    ranges = [_parse_range(part) for part in accept.split(",") if part.strip()]
    best: str | None = None
    best_quality = 0.0
    for offer in offers:
        quality = _quality(ranges, offer)
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def names_cdmi_type(accept: str | None) -> bool:
    """Whether ``Accept`` names a CDMI media type outright."""
    parts = [part.split(";")[0].strip().lower() for part in (accept or "").split(",")]
    return any(part in _KINDS for part in parts)


def _quality(ranges: list[_Accepted], offer: str) -> float:
    fitting = [(r.specificity(offer), r.quality) for r in ranges if r.specificity(offer)]
    return max(fitting)[1] if fitting else 0.0


def _parse_range(part: str) -> _Accepted:
    pattern, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return _Accepted(pattern.lower(), _parse_quality(value.strip()))
    return _Accepted(pattern.lower())


def _parse_quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0

"""Conditional requests: the headers of RFC 9110, section 13, and what they mean for a file. Pure.

A content has a strong entity tag, ``FileStat.content_tag``. A malformed entity tag is a bad request; a
malformed date is ignored, as the RFC asks.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from email.utils import formatdate, mktime_tz, parsedate_tz
from enum import Enum
from functools import lru_cache

from attrs import evolve, frozen

from onedata.errors import BadData
from op_worker.files.model import FileStat
from op_worker.files.stored.conditions import ANY, NO_CONDITION, ContentCondition, Tags, modified_s

MOST_TAGS = 256
"""A header with more is refused."""
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')

Header = Callable[[str], str | None]
"""Returns the value of a request header, several lines joined by commas; ``None`` when there is none."""


class Verdict(Enum):
    """What is answered to GET and HEAD."""

    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


@frozen(kw_only=True)
class Conditions:
    """The conditions of one request.

    Attributes:
        content: those that also hold for changes.
        modified_since_s: for GET and HEAD; whole seconds since the epoch.
        if_range: what the content must be for a range to be sent instead of the whole.
    """

    content: ContentCondition = NO_CONDITION
    modified_since_s: int | None = None
    if_range: str | None = None

    def verdict(self, stat: FileStat) -> Verdict:
        """Decide about reading, in the order of section 13.2.2."""
        if self.content.is_held_back(stat):
            return Verdict.FAILED
        if self.content.none_match is not None:
            return Verdict.NOT_MODIFIED if self.content.is_known(stat) else Verdict.SEND
        if self.modified_since_s is not None and self.content.modified_s(stat) <= self.modified_since_s:
            return Verdict.NOT_MODIFIED
        return Verdict.SEND

    def allow_ranges(self, stat: FileStat) -> bool:
        """Whether ``Range`` counts: the client's part is of the present content."""
        if self.if_range is None:
            return True
        if self.if_range.startswith(('"', "W/")):
            return self.if_range == f'"{stat.content_tag}"'
        return parse_date(self.if_range) == modified_s(stat)

    def of_state(self) -> Conditions:
        """Return the same conditions on the whole state of a file, attributes included."""
        return Conditions(
            content=evolve(self.content, of_state=True),
            modified_since_s=self.modified_since_s,
            if_range=self.if_range,
        )


NO_CONDITIONS = Conditions()


def parse_conditions(header: Header) -> Conditions:
    """Return what the headers of a request demand.

    Raises:
        BadData: an entity tag is malformed; the key is the header.
    """
    match, none_match = header("If-Match"), header("If-None-Match")
    unmodified, modified = header("If-Unmodified-Since"), header("If-Modified-Since")
    if_range = header("If-Range")
    if match is none_match is unmodified is modified is if_range is None:
        return NO_CONDITIONS
    return Conditions(
        content=_content_condition(match, unmodified, none_match),
        modified_since_s=None if modified is None or none_match is not None else parse_date(modified),
        if_range=None if if_range is None else if_range.strip(),
    )


def _content_condition(match: str | None, unmodified: str | None, none_match: str | None) -> ContentCondition:
    until_s = None if unmodified is None or match is not None else parse_date(unmodified)
    if match is None and until_s is None and none_match is None:
        return NO_CONDITION
    return ContentCondition(
        match=None if match is None else parse_tags("If-Match", match, strong=True),
        unmodified_since_s=until_s,
        none_match=None if none_match is None else parse_tags("If-None-Match", none_match, strong=False),
    )


def parse_tags(name: str, text: str, *, strong: bool) -> Tags:
    """Parse ``*`` or a list of entity tags.

    Args:
        name: of the header.
        strong: weak tags are left out, as they never match in a strong comparison.

    Raises:
        BadData: it is neither, or has more than ``MOST_TAGS``.
    """
    if text.strip() == "*":
        return ANY
    names: set[str] = set()
    position, count = 0, 0
    while position < len(text):
        if text[position] in " \t,":
            position += 1
            continue
        found = _TAG.match(text, position)
        count += 1
        if found is None or count > MOST_TAGS or text[found.end() : found.end() + 1].strip(" \t,"):
            raise BadData(name, "expected * or a list of entity tags in double quotes")
        if not (strong and found[1]):
            names.add(found[2])
        position = found.end()
    if not count:
        raise BadData(name, "no entity tag")
    return Tags(frozenset(names))


@lru_cache(maxsize=1024)
def http_date(time_s: int) -> bytes:
    """Return seconds since the epoch as HTTP writes them; beyond the years 1970 to 9999, the nearest."""
    return formatdate(min(max(time_s, 0), 253402300799), usegmt=True).encode("ascii")


def parse_date(text: str) -> int | None:
    """Return the seconds since the epoch of a date in any of HTTP's three forms; ``None`` for others."""
    try:
        found = parsedate_tz(text)
        if found is None or found[3] > 23 or found[4] > 59 or found[5] > 60:
            return None
        return calendar.timegm((*found[:6], 0, 0, 0)) if found[9] is None else int(mktime_tz(found))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None

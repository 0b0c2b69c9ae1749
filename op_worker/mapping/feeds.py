"""Where the records of a storage's mapping come from. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from onedata.errors import BadData, BadValueNotAllowed, BadValueString, MissingRequiredValue
from op_worker.storage.records import StorageRecord

REDACTED = "*****"
_URL = re.compile(r"https?://[!-~]{1,2000}")


class Feed(StrEnum):
    """Who says who a user is on a storage."""

    AUTO = "auto"
    """Numbers are computed from ids; on storages without them all act as the administrator."""
    LOCAL = "local"
    """Records that administrators keep here."""
    EXTERNAL = "external"
    """A server that is asked once for each record."""


@frozen(kw_only=True)
class FeedSettings:
    """The feed of a storage.

    ``url`` and ``key`` are those of an external feed. ``tables`` names the records that are kept: with
    another feed there are others.
    """

    feed: Feed = Feed.AUTO
    url: str = ""
    key: str = field(default="", repr=False)
    tables: str = ""

    @classmethod
    def of(cls, record: StorageRecord) -> FeedSettings:
        """Return the settings that a storage was given."""
        users = record.users
        return cls(
            feed=Feed(users.get("feed", Feed.AUTO.value)),
            url=users.get("url", ""),
            key=users.get("key", ""),
            tables=users.get("tables", ""),
        )

    @classmethod
    def from_json(cls, body: Mapping[str, object], earlier: FeedSettings | None = None) -> FeedSettings:
        """Read ``lumaFeed``, ``lumaFeedUrl`` and ``lumaFeedApiKey``; what is missing stays as it was.

        Raises: an OnedataError that names what is wrong.
        """
        before = earlier or cls()
        names = [feed.value for feed in Feed]
        feed = body.get("lumaFeed", before.feed.value)
        if feed not in names:
            raise BadValueNotAllowed("lumaFeed", names)
        if feed != Feed.EXTERNAL:
            for name in ("lumaFeedUrl", "lumaFeedApiKey"):
                if body.get(name) is not None:
                    raise BadData(name, "only an external feed has one")
            return cls(feed=Feed(feed))
        url, key = _text(body, "lumaFeedUrl", before.url), _text(body, "lumaFeedApiKey", before.key)
        if not url:
            raise MissingRequiredValue("lumaFeedUrl")
        if not _URL.fullmatch(url):
            raise BadData("lumaFeedUrl", "it is no address that begins with http:// or https://")
        if not key.isascii() or not (key.isprintable() or not key):
            raise BadData("lumaFeedApiKey", "it holds what no header can")
        return cls(feed=Feed.EXTERNAL, url=url, key=key)

    def to_json(self) -> dict[str, object]:
        """Return what may be shown."""
        shown: dict[str, object] = {"lumaFeed": self.feed.value}
        if self.url:
            shown["lumaFeedUrl"] = self.url
        if self.key:
            shown["lumaFeedApiKey"] = REDACTED
        return shown

    def to_users(self) -> Mapping[str, str]:
        """Return what a storage's record keeps of this."""
        named = {"feed": self.feed.value, "url": self.url, "key": self.key, "tables": self.tables}
        return {name: text for name, text in named.items() if text}

    def after(self, earlier: FeedSettings, new_tables: str) -> FeedSettings:
        """Return these settings as they take the place of others: another source needs other tables."""
        is_same = (self.feed, self.url) == (earlier.feed, earlier.url)
        return evolve(self, tables=earlier.tables if is_same and earlier.tables else new_tables)


def _text(body: Mapping[str, object], key: str, before: str) -> str:
    value = body.get(key, before)
    if not isinstance(value, str):
        raise BadValueString(key)
    return value

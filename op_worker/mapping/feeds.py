"""Where the records of a storage's mapping come from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from op_worker.storage.records import StorageRecord


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

    def to_users(self) -> Mapping[str, str]:
        """Return what a storage's record keeps of this."""
        named = {"feed": self.feed.value, "url": self.url, "key": self.key, "tables": self.tables}
        return {name: text for name, text in named.items() if text}

    def after(self, earlier: FeedSettings, new_tables: str) -> FeedSettings:
        """Return these settings as they take the place of others: another source needs other tables."""
        is_same = (self.feed, self.url) == (earlier.feed, earlier.url)
        return evolve(self, tables=earlier.tables if is_same and earlier.tables else new_tables)

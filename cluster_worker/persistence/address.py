"""Redis URLs, parsed."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

DEFAULT_PORT = 6379


class BadRedisUrl(ValueError):
    """A URL that names no Redis server. The message never repeats the URL: it may hold a password."""


@frozen(kw_only=True)
class RedisAddress:
    """How to reach a server: by ``path`` of a unix socket, or by ``host`` and ``port``."""

    path: str | None = None
    host: str = ""
    port: int = DEFAULT_PORT
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    def __str__(self) -> str:
        return f"unix socket {self.path}" if self.path is not None else f"{self.host}:{self.port}"


def parse_address(url: str) -> RedisAddress:
    """Parse ``redis://``, ``rediss://`` and ``unix://``; raise BadRedisUrl."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return _unix_address(parts)
    if parts.scheme not in ("redis", "rediss"):
        raise BadRedisUrl("a Redis URL starts with redis://, rediss:// or unix://")
    try:
        port = parts.port
    except ValueError:
        raise BadRedisUrl("the port of a Redis URL is a number up to 65535") from None
    if not parts.hostname:
        raise BadRedisUrl("a Redis URL needs a host")
    return RedisAddress(
        host=parts.hostname,
        port=DEFAULT_PORT if port is None else port,
        tls=parts.scheme == "rediss",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=_database(parts.path.strip("/")),
    )


def _unix_address(parts: SplitResult) -> RedisAddress:
    if parts.hostname or not parts.path.startswith("/"):
        raise BadRedisUrl("a unix URL is unix:///absolute/path, perhaps with a password before the path")
    database = parts.query.removeprefix("db=")
    return RedisAddress(
        path=unquote(parts.path),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=_database(database),
    )


def _database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BadRedisUrl("the database of a Redis URL is a number")
    return int(text)

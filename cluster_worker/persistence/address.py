"""Redis URLs, parsed: one server, a primary that sentinels name, or the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import evolve, field, frozen

DEFAULT_PORT = 6379
SENTINEL_PORT = 26379
_SCHEMES = {
    "redis": "one",
    "rediss": "one",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}


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

    def at(self, host: str, port: int) -> RedisAddress:
        """Return the address of another server that is logged in to alike."""
        return evolve(self, host=host, port=port)

    def in_database(self, number: int) -> RedisAddress:
        """Return the address of another database of the server."""
        return evolve(self, database=number)


@frozen(kw_only=True)
class SentinelAddress:
    """The server that sentinels call the primary of ``service``.

    ``login`` says how to log in to it; its host and port mean nothing.
    """

    sentinels: tuple[RedisAddress, ...]
    service: str
    login: RedisAddress

    def __str__(self) -> str:
        return f"primary {self.service} of sentinels {', '.join(map(str, self.sentinels))}"


@frozen(kw_only=True)
class ClusterAddress:
    """A Redis Cluster, by some of its nodes; the others are learned from them."""

    nodes: tuple[RedisAddress, ...]

    def __str__(self) -> str:
        return f"cluster of {', '.join(map(str, self.nodes))}"


StoreAddress = RedisAddress | SentinelAddress | ClusterAddress
"""Where metadata is kept when another than the embedded server keeps it."""


def parse_address(url: str) -> StoreAddress:
    """Parse ``redis://``, ``unix://``, ``redis+sentinel://``, ``redis+cluster://``; raise BadRedisUrl.

    ``rediss`` in place of ``redis`` means TLS, to sentinels too.
    """
    scheme, found, rest = url.partition("://")
    if scheme == "unix":
        return _unix_address(urlsplit(url))
    if not found or scheme not in _SCHEMES:
        raise BadRedisUrl("a Redis URL starts with redis://, rediss://, unix:// or one of those for several")
    authority, _, path = rest.partition("/")
    login, _, hosts = authority.rpartition("@")
    username, _, password = login.partition(":")
    server = RedisAddress(
        tls=scheme.startswith("rediss"),
        username=unquote(username) if username else None,
        password=unquote(password) if password else None,
    )
    kind = _SCHEMES[scheme]
    if kind == "sentinel":
        return _sentinel_address(server, hosts, path)
    if kind == "cluster":
        if path.strip("/"):
            raise BadRedisUrl("a Redis Cluster has no databases, so its URL ends with the last host")
        return ClusterAddress(nodes=tuple(_servers(server, hosts, DEFAULT_PORT)))
    (one, *more) = _servers(server, hosts, DEFAULT_PORT)
    if more:
        raise BadRedisUrl("several servers need a URL that starts with redis+sentinel:// or redis+cluster://")
    return evolve(one, database=_database(path.strip("/")))


def _sentinel_address(server: RedisAddress, hosts: str, path: str) -> SentinelAddress:
    service, _, database = path.strip("/").partition("/")
    if not service:
        raise BadRedisUrl("a sentinel URL is redis+sentinel://host:port,host:port/service/database")
    return SentinelAddress(
        sentinels=tuple(_servers(RedisAddress(tls=server.tls), hosts, SENTINEL_PORT)),
        service=unquote(service),
        login=evolve(server, database=_database(database)),
    )


def _servers(like: RedisAddress, hosts: str, default_port: int) -> Sequence[RedisAddress]:
    return [_server(like, host, default_port) for host in hosts.split(",")]


def _server(like: RedisAddress, text: str, default_port: int) -> RedisAddress:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        raise BadRedisUrl("the port of a Redis URL is a number up to 65535") from None
    if not parts.hostname:
        raise BadRedisUrl("a Redis URL needs a host")
    return like.at(parts.hostname, default_port if port is None else port)


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

"""The engine on Redis (or Valkey): one round trip for each call, one Lua script for each whole step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgpack import unpackb
from twisted.internet.defer import Deferred, FirstError, gatherResults

from cluster_worker.persistence.address import StoreAddress
from cluster_worker.persistence.answers import cut_further, name_documents, read_resolved, split_rows
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import Uses, acknowledged_by
from cluster_worker.persistence.engine import (
    Batch,
    Change,
    Committed,
    Document,
    Entry,
    Key,
    Lease,
    PreconditionFailed,
    Resolved,
    Scope,
    Seq,
)
from cluster_worker.persistence.feed import FeedWatch
from cluster_worker.persistence.layout import (
    COUNTER_LIMIT,
    after_name,
    before_name,
    decode_document,
    decode_entry,
    decode_found,
    encode_batch,
    exactly_name,
    key_bytes,
    key_text,
    pack,
    reject_malformed,
    scope_prefix,
)
from cluster_worker.persistence.lease_scripts import ACQUIRE, RELEASE
from cluster_worker.persistence.link import RedisLink
from cluster_worker.persistence.requests import Requests
from cluster_worker.persistence.resp import encode_command
from cluster_worker.persistence.script import Script
from cluster_worker.persistence.scripts import (
    ANCESTORS,
    CHANGES,
    COMMIT,
    FORGET,
    GET_MANY,
    PAGE,
    RESOLVE,
)
from cluster_worker.persistence.topologies import make_store
from cluster_worker.runtime.services import OrderedService

_SCOPES = b"scopes"


class RedisEngine(OrderedService):
    """Persistence in Redis servers that may come and go; start it as a service.

    With ``replicas_acknowledge``, what writes and what reads the feed goes over connections of its own,
    which answer when so many replicas have what the answer speaks of.

    Args:
        address: where the servers are.

    Attributes:
        connections_made: how often a connection came up, at first and after each loss.
    """

    def __init__(self, reactor: Any, address: StoreAddress, config: RedisConfig) -> None:
        super().__init__()
        self._registered: set[Scope] = set()
        self.connections_made = 0
        self._replicas = config.replicas_acknowledge
        patience_s = config.patience_with(address)
        store = make_store(reactor, address, config)
        store.setServiceParent(self)
        self._connection = self._writing = store.open(Uses(on_ready=self._on_ready))
        self._connection.setServiceParent(self)
        self._requests = self._writes = Requests(reactor, self._connection, patience_s)
        if self._replicas:
            carry = acknowledged_by(self._replicas, config.acknowledge_timeout_s)
            self._writing = store.open(Uses(carry=carry, on_ready=self._on_ready))
            self._writing.setServiceParent(self)
            self._writes = Requests(reactor, self._writing, patience_s)
        self._feed = FeedWatch(store, self.scopes)
        self._feed.setServiceParent(self)

    async def wait_ready(self) -> None:
        """Return once the server is reached, however long that takes."""
        await self._connection.wait_ready()
        await self._writing.wait_ready()

    async def server_info(self, section: bytes) -> bytes:
        """Return what the server says of itself, as lines ``name:value``."""
        return bytes(await self._command(b"INFO", section))

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        reject_malformed(batch)
        prefix = scope_prefix(scope)
        request = COMMIT.request(prefix, encode_batch(batch, leaves_mark=self._replicas > 0))
        if batch.announce and scope not in self._registered:
            await self._register(scope)
        answer = await self._writes.ask_once(prefix, request)
        if isinstance(answer, list):
            step = batch.steps[answer[0] - 1]
            raise PreconditionFailed(step, decode_found(step, answer[1]))
        return Committed(Seq(answer))

    async def get(self, scope: Scope, key: Key, fields: Sequence[str]) -> Mapping[str, Document]:
        if not fields:
            return {}
        words = [b"HMGET", scope_prefix(scope) + b"f:" + key_bytes(key), *map(key_bytes, fields)]
        return name_documents(fields, await self._command(*words))

    async def get_all(self, scope: Scope, key: Key) -> Mapping[str, Document]:
        flat = await self._command(b"HGETALL", scope_prefix(scope) + b"f:" + key_bytes(key))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {str(key_text(name)): decode_document(stored) for name, stored in pairs}

    async def get_many(
        self, scope: Scope, keys: Sequence[Key], fields: Sequence[str], most_b: int | None = None
    ) -> Sequence[Mapping[str, Document]]:
        if not fields or not keys:
            return [{} for _ in keys]
        flat = await self._run(GET_MANY, scope, (tuple(keys), tuple(fields), most_b))
        return [name_documents(fields, row) for row in split_rows(flat, len(fields))]

    async def resolve(
        self,
        scope: Scope,
        root: Key,
        names: Sequence[bytes],
        fields: Sequence[str],
        last: Sequence[str] = (),
    ) -> Sequence[Resolved]:
        flat = await self._run(RESOLVE, scope, (root, fields, names, last))
        width = 1 + len(fields)
        further = cut_further(flat, width * (1 + len(names)), last)
        rows = split_rows(flat, width)
        first = next(rows)
        found = [Resolved(Entry(b"", b""), root, name_documents(fields, first[1:]))]
        found += [read_resolved(fields, row) for row in rows]
        if further:
            end = found[-1]
            found[-1] = Resolved(end.entry, end.key, {**end.documents, **further})
        return found

    async def ancestors(
        self,
        scope: Scope,
        key: Key,
        parent_field: str,
        fields: Sequence[str],
        limit: int = 512,
        first: Sequence[str] = (),
    ) -> Sequence[tuple[Key, Mapping[str, Document]]]:
        flat = await self._run(ANCESTORS, scope, (key, parent_field, fields, limit, first))
        width = 1 + len(fields)
        further = cut_further(flat, len(flat) - len(first), first)
        found = [(key_text(row[0]), name_documents(fields, row[1:])) for row in split_rows(flat, width)]
        if further:
            found[0] = (found[0][0], {**found[0][1], **further})
        return found

    async def lookup(self, scope: Scope, directory: Key, name: bytes) -> bytes | None:
        low, high = exactly_name(name)
        words = (b"ZRANGEBYLEX", _directory(scope, directory), low, high, b"LIMIT", b"0", b"1")
        members = await self._command(*words)
        return decode_entry(members[0]).value if members else None

    async def page(
        self, scope: Scope, directory: Key, after: bytes | None, limit: int, fields: Sequence[str]
    ) -> Sequence[Resolved]:
        if limit <= 0:
            return []
        low = after_name(after)
        if fields:
            flat = await self._run(PAGE, scope, (directory, low, None, limit, fields))
            return [read_resolved(fields, row) for row in split_rows(flat, 1 + len(fields))]
        words = (b"ZRANGEBYLEX", _directory(scope, directory), low, b"+", b"LIMIT", b"0", b"%d" % limit)
        return [read_resolved((), (member,)) for member in await self._command(*words)]

    async def page_from(
        self,
        scope: Scope,
        directory: Key,
        start: bytes | None,
        offset: int,
        limit: int,
        fields: Sequence[str],
    ) -> Sequence[Resolved]:
        if limit <= 0:
            return []
        less = b"-" if start is None else before_name(start)
        offset = max(-COUNTER_LIMIT, min(offset, COUNTER_LIMIT))
        flat = await self._run(PAGE, scope, (directory, less, offset, limit, fields))
        return [read_resolved(fields, row) for row in split_rows(flat, 1 + len(fields))]

    async def count(self, scope: Scope, directory: Key) -> int:
        return int(await self._command(b"ZCARD", _directory(scope, directory)))

    async def counters(self, scope: Scope) -> Mapping[str, int]:
        flat = await self._command(b"HGETALL", scope_prefix(scope) + b"u")
        return {str(key_text(name)): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}

    async def changes(self, scope: Scope, after: Seq, limit: int) -> Sequence[Change]:
        if limit <= 0:
            return []
        return (await self._changes(scope, after, limit))[1]

    async def forget(self, scope: Scope, entries: Sequence[Change]) -> None:
        if entries:
            prefix, argument = scope_prefix(scope), pack([(entry.key, entry.seq) for entry in entries])
            await self._writes.ask(prefix, FORGET.request(prefix, argument))

    async def last_seq(self, scope: Scope) -> Seq:
        return (await self._changes(scope, Seq(0), 0))[0]

    async def _changes(self, scope: Scope, after: Seq, limit: int) -> tuple[Seq, Sequence[Change]]:
        """Return the newest number and the changes asked for, and leave a mark that replicas confirm.

        A reader that has seen a change which no replica has could take the number of the next one, after a
        failover, for one that it knows.
        """
        prefix = scope_prefix(scope)
        request = CHANGES.request(prefix, pack((b"(%d" % after, limit, self._replicas > 0)))
        newest, *flat = unpackb(await self._writes.ask(prefix, request), raw=True)
        found = [Change(Seq(int(float(score))), key_text(key)) for key, score in split_rows(flat, 2)]
        return Seq(int(newest or 0)), found

    def watch(self, listener: Callable[[Scope], None]) -> Callable[[], None]:
        return self._feed.watch(listener)

    async def scopes(self) -> Sequence[Scope]:
        registered = [Scope(str(key_text(name))) for name in await self._command(b"SMEMBERS", _SCOPES)]
        asked = [Deferred.fromCoroutine(self.last_seq(scope)) for scope in registered]
        newest = await _all(asked)
        return sorted(scope for scope, seq in zip(registered, newest, strict=True) if seq)

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        key, argument = _lease(name), pack((owner, max(1, round(ttl_s * 1000))))
        token = await self._writes.ask(key, ACQUIRE.request(key, argument))
        return Lease(name, owner, token) if token else None

    async def release(self, lease: Lease) -> None:
        key, argument = _lease(lease.name), pack((lease.owner, lease.token))
        await self._writes.ask(key, RELEASE.request(key, argument))

    async def _run(self, script: Script, scope: Scope, argument: object) -> list[Any]:
        prefix = scope_prefix(scope)
        request = script.request(prefix, pack(argument))
        flat: list[Any] = unpackb(await self._requests.ask(prefix, request), raw=True)
        return flat

    async def _command(self, *words: bytes) -> Any:
        return await self._requests.ask(words[1], encode_command(words))

    async def _register(self, scope: Scope) -> None:
        """Remember a scope before its first announcement, in a set of its own (it has its own shard)."""
        await self._writes.ask(_SCOPES, encode_command((b"SADD", _SCOPES, key_bytes(scope))))
        self._registered.add(scope)

    def _on_ready(self, _link: RedisLink) -> None:
        self.connections_made += 1
        self._registered.clear()  # it may be another server, or the same one with less in it


async def _all(asked: Sequence[Deferred[Seq]]) -> Sequence[Seq]:
    """Wait for requests that travel together; raise what the first failed one raised."""
    try:
        answers: Sequence[Seq] = await gatherResults(asked, consumeErrors=True)
    except FirstError as exc:
        exc.subFailure.raiseException()
    return answers


def _lease(name: str) -> bytes:
    return b"lease:" + key_bytes(name)


def _directory(scope: Scope, directory: Key) -> bytes:
    return scope_prefix(scope) + b"d:" + key_bytes(directory)

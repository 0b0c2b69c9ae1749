"""The engine that keeps everything in this process: for tests, trials and as the model of the others."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    ABSENT,
    Add,
    Batch,
    Change,
    Check,
    Committed,
    Delete,
    Document,
    Entry,
    Key,
    Lease,
    Link,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Resolved,
    Scope,
    Seq,
    Step,
    Unlink,
)
from cluster_worker.persistence.layout import COUNTER_LIMIT, key_of, reject_malformed, scope_prefix

_HOLDS = object()


@define
class _Directory:
    names: list[bytes] = field(factory=list)
    values: dict[bytes, bytes] = field(factory=dict)

    def put(self, name: bytes, value: bytes) -> None:
        if name not in self.values:
            insort(self.names, name)
        self.values[name] = value

    def drop(self, name: bytes) -> None:
        if self.values.pop(name, None) is not None:
            del self.names[bisect_left(self.names, name)]


@define
class _ScopeState:
    documents: dict[Key, dict[str, Document]] = field(factory=dict)
    directories: dict[Key, _Directory] = field(factory=dict)
    counters: dict[str, int] = field(factory=dict)
    feed: dict[Key, Seq] = field(factory=dict)
    seq: Seq = field(default=Seq(0))

    def revision(self, key: Key, name: str) -> int:
        document = self.documents.get(key, {}).get(name)
        return ABSENT if document is None else document.revision

    def directory(self, key: Key) -> _Directory:
        return self.directories.get(key) or _Directory()

    def check(self, steps: Sequence[Step]) -> None:
        sums: dict[str, int] = {}
        for step in steps:
            found = self._add_blocked(step, sums) if isinstance(step, Add) else self._blocked(step)
            if found is not _HOLDS:
                raise PreconditionFailed(step, found)  # type: ignore[arg-type]  # the marker is excluded

    def _blocked(self, step: Step) -> object:
        """Return what stands in the way of a step, or ``_HOLDS``."""
        match step:
            case Put(key, name, _, expect) | Check(key, name, expect) | Delete(key, str() as name, expect):
                found = self.revision(key, name)
                return _HOLDS if expect is None or expect == found else found
            case Link(directory, name, _, replaces):
                value = self.directory(directory).values.get(name)
                return _HOLDS if value is None or value == replaces else value
            case Unlink(directory, name, value):
                there = self.directory(directory).values.get(name)
                return _HOLDS if there == value else there
            case RequireEmpty(directory):
                return len(self.directory(directory).names) or _HOLDS
        return _HOLDS

    def _add_blocked(self, step: Add, sums: dict[str, int]) -> object:
        value = self.counters.get(step.counter, 0)
        sums[step.counter] = sums.get(step.counter, 0) + step.delta
        result = value + sums[step.counter]
        over = step.delta > 0 and step.limit is not None and result > step.limit
        return value if over or abs(result) > COUNTER_LIMIT else _HOLDS

    def apply(self, step: Step) -> None:
        match step:
            case Put(key, name, data, expect):
                revision = self.revision(key, name) if expect is None else expect
                self.documents.setdefault(key, {})[name] = Document(revision + 1, data)
            case Delete(key, None):
                self.documents.pop(key, None)
            case Delete(key, str() as name):
                self._delete_field(key, name)
            case Link(directory, name, value):
                self.directories.setdefault(directory, _Directory()).put(name, value)
            case Unlink(directory, name, value):
                self._unlink(directory, name, value)
            case Add(counter, delta):
                self.counters[counter] = self.counters.get(counter, 0) + delta

    def _delete_field(self, key: Key, name: str) -> None:
        fields = self.documents.get(key, {})
        fields.pop(name, None)
        if not fields:
            self.documents.pop(key, None)

    def _unlink(self, key: Key, name: bytes, value: bytes) -> None:
        directory = self.directory(key)
        if directory.values.get(name) == value:
            directory.drop(name)
        if not directory.names:
            self.directories.pop(key, None)

    def announce(self, keys: Sequence[Key]) -> None:
        for key in dict.fromkeys(keys):
            self.seq = Seq(self.seq + 1)
            self.feed.pop(key, None)  # so that the dict stays in order of numbers
            self.feed[key] = self.seq


@define
class _LeaseState:
    owner: str | None = None
    token: int = 0
    until: float = 0.0


class MemoryEngine:
    """Everything in dictionaries; what the process loses, it loses.

    Args:
        clock: measures the time of leases; without one they do not expire.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime | None = None) -> None:
        self._clock: IReactorTime = Clock() if clock is None else clock
        self._scopes: dict[Scope, _ScopeState] = {}
        self._leases: dict[str, _LeaseState] = {}
        self._listeners: dict[object, Callable[[Scope], None]] = {}

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        """Apply ``batch`` at once; listeners are called before this returns."""
        reject_malformed(batch)
        state = self._state(scope)
        state.check(batch.steps)
        self._scopes[scope] = state
        for step in batch.steps:
            state.apply(step)
        if batch.announce:
            state.announce(batch.announce)
            self._tell(scope)
        return Committed(state.seq)

    async def get(self, scope: Scope, key: Key, fields: Sequence[str]) -> Mapping[str, Document]:
        return self._documents(self._state(scope), key, fields)

    async def get_all(self, scope: Scope, key: Key) -> Mapping[str, Document]:
        return dict(self._state(scope).documents.get(key, {}))

    async def get_many(
        self, scope: Scope, keys: Sequence[Key], fields: Sequence[str], most_b: int | None = None
    ) -> Sequence[Mapping[str, Document]]:
        state = self._state(scope)
        found: list[Mapping[str, Document]] = []
        left_b = most_b
        for key in keys:
            found.append(self._documents(state, key, fields))
            if left_b is not None:
                left_b -= sum(len(document.data) for document in found[-1].values())
                if left_b < 0:
                    break
        return found

    async def resolve(
        self,
        scope: Scope,
        root: Key,
        names: Sequence[bytes],
        fields: Sequence[str],
        last: Sequence[str] = (),
    ) -> Sequence[Resolved]:
        state = self._state(scope)
        found = [Resolved(Entry(b"", b""), root, self._documents(state, root, fields))]
        for name in names:
            value = state.directory(found[-1].key).values.get(name)
            if value is None:
                break
            found.append(self._resolved(state, Entry(name, value), fields))
        if last and len(found) == 1 + len(names):
            further = self._documents(state, found[-1].key, last)
            found[-1] = evolve(found[-1], documents={**found[-1].documents, **further})
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
        state = self._state(scope)
        found: list[tuple[Key, Mapping[str, Document]]] = []
        while len(found) < limit:
            found.append((key, self._documents(state, key, fields if found else (*fields, *first))))
            parent = state.documents.get(key, {}).get(parent_field)
            if parent is None or not parent.data:
                break
            key = Key(parent.data.decode("utf-8", "surrogateescape"))
        return found

    async def lookup(self, scope: Scope, directory: Key, name: bytes) -> bytes | None:
        return self._state(scope).directory(directory).values.get(name)

    async def page(
        self, scope: Scope, directory: Key, after: bytes | None, limit: int, fields: Sequence[str]
    ) -> Sequence[Resolved]:
        state = self._state(scope)
        entries = state.directory(directory)
        first = 0 if after is None else bisect_right(entries.names, after)
        names = entries.names[first : first + max(0, limit)]
        return [self._resolved(state, Entry(name, entries.values[name]), fields) for name in names]

    async def page_from(
        self,
        scope: Scope,
        directory: Key,
        start: bytes | None,
        offset: int,
        limit: int,
        fields: Sequence[str],
    ) -> Sequence[Resolved]:
        state = self._state(scope)
        entries = state.directory(directory)
        first = max(0, (0 if start is None else bisect_left(entries.names, start)) + offset)
        names = entries.names[first : first + max(0, limit)]
        return [self._resolved(state, Entry(name, entries.values[name]), fields) for name in names]

    async def count(self, scope: Scope, directory: Key) -> int:
        return len(self._state(scope).directory(directory).names)

    async def counters(self, scope: Scope) -> Mapping[str, int]:
        return dict(self._state(scope).counters)

    async def changes(self, scope: Scope, after: Seq, limit: int) -> Sequence[Change]:
        newest_first = reversed(self._state(scope).feed.items())
        newer = [Change(seq, key) for key, seq in takewhile(lambda item: item[1] > after, newest_first)]
        return newer[::-1][: max(0, limit)]

    async def forget(self, scope: Scope, entries: Sequence[Change]) -> None:
        feed = self._state(scope).feed
        for entry in entries:
            if feed.get(entry.key, entry.seq + 1) <= entry.seq:
                del feed[entry.key]

    async def last_seq(self, scope: Scope) -> Seq:
        return self._state(scope).seq

    def watch(self, listener: Callable[[Scope], None]) -> Callable[[], None]:
        token = object()
        self._listeners[token] = listener

        def end() -> None:
            self._listeners.pop(token, None)

        return end

    async def scopes(self) -> Sequence[Scope]:
        return sorted(scope for scope, state in self._scopes.items() if state.seq)

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        state = self._leases.setdefault(name, _LeaseState())
        now = self._clock.seconds()
        if state.owner not in (None, owner) and state.until > now:
            return None
        if state.owner != owner:
            state.owner, state.token = owner, state.token + 1
        state.until = now + ttl_s
        return Lease(name, owner, state.token)

    async def release(self, lease: Lease) -> None:
        state = self._leases.get(lease.name)
        if state is not None and (state.owner, state.token) == (lease.owner, lease.token):
            state.owner = None

    def _state(self, scope: Scope) -> _ScopeState:
        state = self._scopes.get(scope)
        if state is None:
            scope_prefix(scope)  # refuses what no engine takes
            state = _ScopeState()
        return state

    @staticmethod
    def _documents(state: _ScopeState, key: Key, fields: Sequence[str]) -> Mapping[str, Document]:
        stored = state.documents.get(key, {})
        return {name: stored[name] for name in fields if name in stored}

    def _resolved(self, state: _ScopeState, entry: Entry, fields: Sequence[str]) -> Resolved:
        key = key_of(entry.value)
        return Resolved(entry, key, self._documents(state, key, fields))

    def _tell(self, scope: Scope) -> None:
        for listener in list(self._listeners.values()):
            try:
                listener(scope)
            except Exception:  # noqa: BLE001 - the commit is done; a listener's bug is its own
                self._log.failure("a feed listener failed")

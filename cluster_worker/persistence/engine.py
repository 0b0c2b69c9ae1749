"""The contract of a persistence engine: values, preconditions, three primitives, one feed.

A *scope* (a space, the zone, the node's own records) is the unit of atomicity: everything a batch
touches lives in one scope. In a scope there are

* **documents**: addressed by ``(key, field)``, opaque bytes with a revision that the engine counts;
* **directories**: ordered sets of entries, addressed by a directory key; an entry maps a name
  (bytes without NUL) to a value (bytes without NUL), names in byte order;
* **counters**: integers by name, of magnitude below 2**53 (an addition that would go beyond fails);
* **the feed**: for each key changed with ``announce``, the sequence number of its last change.
  Numbers of a scope start at 1 and have no gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NewType, Protocol

from attrs import field, frozen

Scope = NewType("Scope", str)
Key = NewType("Key", str)
Seq = NewType("Seq", int)

ABSENT = 0
"""The revision of a document that does not exist."""


@frozen
class Document:
    """A stored value. ``revision`` counts its writes from 1; ``ABSENT`` means there is none."""

    revision: int
    data: bytes


@frozen
class Put:
    """Write a document. ``expect`` is the revision it must have now; ``None`` writes blindly."""

    key: Key
    field: str
    data: bytes
    expect: int | None = None


@frozen
class Delete:
    """Remove one field of a document, or the whole document when ``field`` is ``None``.

    ``expect`` is the revision of that field; without a field it must be ``None``.
    """

    key: Key
    field: str | None = None
    expect: int | None = None


@frozen
class Check:
    """Demand that a document has this revision now, without writing it."""

    key: Key
    field: str
    expect: int


@frozen
class Link:
    """Add a directory entry. Fails when the name is taken, unless by ``replaces`` (the old value)."""

    directory: Key
    name: bytes
    value: bytes
    replaces: bytes | None = None


@frozen
class Unlink:
    """Remove the entry ``name``, which must have this ``value``."""

    directory: Key
    name: bytes
    value: bytes


@frozen
class RequireEmpty:
    """Demand that a directory has no entries."""

    directory: Key


@frozen
class Add:
    """Add ``delta`` to a counter; fails when the result would exceed ``limit`` and delta is positive."""

    counter: str
    delta: int
    limit: int | None = None


Step = Put | Delete | Check | Link | Unlink | RequireEmpty | Add


@frozen
class Batch:
    """Steps that happen together or not at all, checked in order before any is applied.

    So each step is checked against what was there before the batch; only additions to one counter see
    each other. A batch that links one name twice is a ValueError.

    ``announce`` names the keys that the change feed tells of.
    """

    steps: Sequence[Step]
    announce: Sequence[Key] = ()


@frozen
class Committed:
    """The feed's newest number after the batch (unchanged when it announced nothing)."""

    seq: Seq


@frozen
class Entry:
    """A directory entry."""

    name: bytes
    value: bytes


@frozen
class Resolved:
    """One component of a path: the entry that led to it and the documents asked for."""

    entry: Entry
    key: Key
    documents: Mapping[str, Document] = field(factory=dict)


@frozen
class Change:
    """``key`` changed last at ``seq``."""

    seq: Seq
    key: Key


@frozen
class Lease:
    """Granted to ``owner`` until it expires; ``token`` grows with each new holder (fencing)."""

    name: str
    owner: str
    token: int


class PersistenceError(Exception):
    """Root of what an engine can refuse or fail with."""


class PreconditionFailed(PersistenceError):
    """A step did not hold, so nothing was written. Re-read, decide again, retry.

    ``step`` is the first one that failed; ``found`` is what was there: a revision for documents,
    the value in the way for ``Link`` (or what stands at the name for ``Unlink``, ``None`` if
    nothing), the number of entries for ``RequireEmpty``, the present value for counters.
    """

    def __init__(self, step: Step, found: int | bytes | None) -> None:
        super().__init__(f"{step} found {found!r}")
        self.step, self.found = step, found


class PersistenceUnavailable(PersistenceError):
    """The store cannot be reached; nothing was written. The caller may retry."""


class OutcomeUnknown(PersistenceUnavailable):
    """The store went away after a batch was sent: it was applied whole, or not at all."""


KeyOf = Callable[[bytes], Key]


class Engine(Protocol):
    """Persistence in one scope at a time. Any method may raise ``PersistenceUnavailable``."""

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        """Apply ``batch`` atomically. Must not be cancelled half-way: a cancelled wait still commits.

        Raises: PreconditionFailed; OutcomeUnknown.
        """

    async def get(self, scope: Scope, key: Key, fields: Sequence[str]) -> Mapping[str, Document]:
        """Return those of ``fields`` that exist."""

    async def get_all(self, scope: Scope, key: Key) -> Mapping[str, Document]:
        """Return every field of the document."""

    async def get_many(
        self, scope: Scope, keys: Sequence[Key], fields: Sequence[str], most_b: int | None = None
    ) -> Sequence[Mapping[str, Document]]:
        """Return the documents of many keys, one round trip, in the order of ``keys``.

        With ``most_b`` the answer ends with the key whose documents bring it to more than so many bytes;
        it is then shorter than ``keys``, but never empty.
        """

    async def resolve(
        self,
        scope: Scope,
        root: Key,
        names: Sequence[bytes],
        fields: Sequence[str],
        last: Sequence[str] = (),
    ) -> Sequence[Resolved]:
        """Walk from directory ``root`` along ``names``, one round trip whatever the depth.

        The key of a component is its entry's value up to the first ``/``; the rest of the value
        is the caller's. ``last`` are further fields of the last component, if the walk gets to it.
        The first item is the root itself (with an empty entry). The result is shorter than
        ``1 + len(names)`` when a component is missing.
        """

    async def ancestors(
        self,
        scope: Scope,
        key: Key,
        parent_field: str,
        fields: Sequence[str],
        limit: int = 512,
        first: Sequence[str] = (),
    ) -> Sequence[tuple[Key, Mapping[str, Document]]]:
        """Walk up from ``key``, one round trip: its documents first, then its parent's, and so on.

        ``parent_field`` is a document field whose data is the parent's key (UTF-8); the walk ends
        where it is absent or empty. ``first`` are further fields of ``key`` itself. Missing documents
        end the walk with an empty mapping.
        """

    async def lookup(self, scope: Scope, directory: Key, name: bytes) -> bytes | None:
        """Return the value of one entry."""

    async def page(
        self, scope: Scope, directory: Key, after: bytes | None, limit: int, fields: Sequence[str]
    ) -> Sequence[Resolved]:
        """Return up to ``limit`` entries with names greater than ``after``, in name order.

        With ``fields`` their documents come along, in the same round trip.
        """

    async def page_from(
        self,
        scope: Scope,
        directory: Key,
        start: bytes | None,
        offset: int,
        limit: int,
        fields: Sequence[str],
    ) -> Sequence[Resolved]:
        """Return up to ``limit`` entries as ``page`` does, from a place ``offset`` entries after a name.

        Offset 0 is the first entry whose name is not less than ``start`` (``None``: the first of all). A
        negative offset goes back, not beyond the first entry. The cost does not grow with the offset.
        """

    async def count(self, scope: Scope, directory: Key) -> int:
        """Return how many entries a directory has."""

    async def counters(self, scope: Scope) -> Mapping[str, int]:
        """Return every counter of the scope."""

    async def changes(self, scope: Scope, after: Seq, limit: int) -> Sequence[Change]:
        """Return up to ``limit`` last changes with numbers greater than ``after``, in order."""

    async def last_seq(self, scope: Scope) -> Seq:
        """Return the newest number of the feed, 0 when nothing was announced yet."""

    async def forget(self, scope: Scope, entries: Sequence[Change]) -> None:
        """Drop entries of the feed, each unless its key was announced again after that number.

        Numbers are not given out again; who reads from before them does not learn that there was a change.
        """

    def watch(self, listener: Callable[[Scope], None]) -> Callable[[], None]:
        """Call ``listener`` soon after any scope's feed moved, from any node; may be spurious.

        Return a function that ends it. After a lost connection the listener is called for every
        scope it has been called for before.
        """

    async def scopes(self) -> Sequence[Scope]:
        """Return every scope that has a feed."""

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease; ``None`` while somebody else holds it.

        Renewal by its holder keeps the token; a new holder gets a greater one.
        """

    async def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""

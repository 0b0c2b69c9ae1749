"""After a run: is everything there, whole, the same through every node and on the storage, in one order?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from attrs import frozen
from valkey import Valkey

from onedata.ids import SpaceId
from op_worker.files.stored.charges import used_counter
from tests.faults.arena import SPACE_ID, Arena
from tests.faults.connection import Connection
from tests.faults.ledger import Found, Harm, Ledger, digest_of
from tests.faults.load import Connect, Records, first_tag, tag_of
from tests.faults.requesting import Ask, Requests, tag_in
from tests.support.linearizability import Kind, Operation
from tests.support.linearizability import check as judge
from tests.support.redis_dump import dump_of
from tests.support.store_checker import check_metadata

READERS = 4
QUIET_LIMIT_S = 20.0
STAGING = ".__onedata__staging"
"""A file in here was not taken into use; when nobody could tell, it stays until its node starts again."""


class Inconsistent(Exception):
    """What is stored does not fit together."""


@frozen(kw_only=True)
class Findings:
    """What is wrong, in words that name the file."""

    lost: Sequence[str]
    half_there: Sequence[str]
    not_linearizable: Sequence[str]
    complaints: Sequence[str]


@frozen(eq=False)
class Checks:
    """Everything that is asked after a run, when nobody writes any more."""

    arena: Arena
    requests: Requests
    connect: Connect

    def run(self, records: Records) -> Findings:
        """Judge what is there by what the clients were told."""
        harms: list[tuple[str, Harm]] = []
        ledger = records.ledger
        nodes = list(self.connect())
        for node in nodes:
            found = self._found(node, list(ledger.paths()))
            harms += [(f"{path} through {node}", harm) for path, harm in ledger.harms(found).items()]
        harms += [(f"{path} on the storage", harm) for path, harm in self._on_storage(ledger)]
        histories = {key: [*told, *self._last_reads(key, nodes)] for key, told in records.histories.items()}
        return Findings(
            lost=[where for where, harm in harms if harm is Harm.LOST],
            half_there=[where for where, harm in harms if harm is Harm.HALF],
            not_linearizable=list(_disordered(histories)),
            complaints=list(self._complaints()),
        )

    def _found(self, node: str, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return what a node shows at these paths."""
        with ThreadPoolExecutor(READERS) as pool:
            parts = pool.map(lambda part: self._read(node, part), (paths[n::READERS] for n in range(READERS)))
            return {path: found for part in parts for path, found in part.items()}

    def _read(self, node: str, paths: Iterable[str]) -> Mapping[str, Found]:
        connection, found = self.connect()[node], {}
        for path in paths:
            content = _answer(connection, self.requests.read(path))
            if content is not None:
                reply = connection.ask(*_words(self.requests.read_tag(path)))
                found[path] = Found(digest_of(content), tag_in(reply))
        connection.close()
        return found

    def _on_storage(self, ledger: Ledger) -> Iterable[tuple[str, Harm]]:
        """Compare contents on the storage; names there are those of the namespace."""
        for fate in ledger.fates.values():
            files = [self.arena.storage / path for path in fate.paths]
            tag = next(iter(fate.tags))  # the storage has no metadata
            found = {
                path: Found(digest_of(file.read_bytes()), tag)
                for path, file in zip(fate.paths, files, strict=True)
                if file.exists()
            }
            harm = fate.judge(found)
            if harm is not None:
                yield fate.paths[0], harm

    def _last_reads(self, key: str, nodes: Sequence[str]) -> Iterable[Operation]:
        path, _, what = key.rpartition(" ")
        is_content = what == "content"
        connections = self.connect()
        for node in nodes:
            invoked = time.monotonic()
            ask = self.requests.read(path) if is_content else self.requests.read_tag(path)
            reply = connections[node].ask(*_words(ask))
            value = tag_of(reply.body) if is_content else tag_in(reply)
            yield Operation(
                kind=Kind.READ,
                value=value,
                invoked=invoked,
                completed=time.monotonic(),
                client=f"last {node}",
            )
            connections[node].close()

    def _complaints(self) -> Iterable[str]:
        """Check the store; what was under way when a process died may take a while to be tidied up."""
        deadline = time.monotonic() + QUIET_LIMIT_S
        while (complaint := self._complaint(self.check_store)) and time.monotonic() < deadline:
            time.sleep(0.5)
        if complaint:
            yield complaint

    @staticmethod
    def _complaint(check: Callable[[], None]) -> str:
        try:
            check()
        except (AssertionError, Inconsistent) as error:
            return str(error) or repr(error.__traceback__.tb_frame if error.__traceback__ else error)
        return ""

    def check_store(self) -> None:
        """Demand that metadata, counters and storage fit together. Raises: Inconsistent, AssertionError."""
        with Valkey.from_url(self.arena.redis_url) as store:
            stored = dump_of(store, SPACE_ID)
        checker = check_metadata(SpaceId(SPACE_ID), stored.documents, stored.directories)
        root = self.arena.storage.parent
        missing = [name for name, path in checker.paths.items() if not (root / path).is_file()]
        known = {root / path for path in (*checker.paths.values(), *checker.binned.values())}
        files = {file for file in self.arena.storage.rglob("*") if file.is_file()}
        strange = {file for file in files - known if STAGING not in file.parts}
        (used,) = [count for name, count in stored.counters.items() if name.startswith(used_counter(""))]
        if missing or strange:
            raise Inconsistent(f"no bytes for {missing[:5]}, no name for {sorted(map(str, strange))[:5]}")
        if used != checker.held_b():
            raise Inconsistent(f"{used} bytes are counted, {checker.held_b()} are there")


def _words(ask: Ask) -> tuple[str, str, bytes, Mapping[str, str]]:
    return ask.method, ask.path, ask.body, ask.headers


def _answer(connection: Connection, ask: Ask) -> bytes | None:
    """Return a content, None for a file that is not there."""
    reply = connection.ask(*_words(ask))
    if reply.status == 404:
        return None
    assert reply.status == 200, f"{ask.path}: {reply.status} {reply.body[:200]!r}"
    return reply.body


def _disordered(histories: Mapping[str, Sequence[Operation]]) -> Iterable[str]:
    for key, operations in histories.items():
        initial = first_tag(key.rpartition(" ")[0]) if key.endswith(" content") else None
        verdict = judge(operations, initial)
        if not verdict.is_linearizable:
            yield f"{key}: none of {'; '.join(map(str, verdict.stuck_at[:4]))} can be next"

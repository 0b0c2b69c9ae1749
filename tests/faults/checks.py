"""After a run: is everything there, whole, the same through every node and on the storage, in one order?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from attrs import frozen

from onedata.ids import SpaceId
from op_worker.files.stored.charges import used_counter
from tests.faults.arena import SPACE_ID, Arena
from tests.faults.client import Client, Result
from tests.faults.hot_files import CONTENT, first_tag, tag_of
from tests.faults.ledger import Found, Harm, Ledger, digest_of
from tests.faults.load import Connect
from tests.faults.order import disorders
from tests.faults.records import Records
from tests.faults.requesting import Requests, tag_in
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
        ledger, complaints = records.ledger, []
        histories = {key: list(told) for key, told in records.histories.items()}
        for node in self.connect():
            try:
                found = self._found(node, list(ledger.paths()))
                for key, history in histories.items():
                    history.append(self._last_read(key, node))
            except Inconsistent as error:
                complaints.append(f"through {node}: {error}")
                continue
            harms += [(f"through {node}: {what}", harm) for what, harm in ledger.harms(found)]
        harms += [(f"on the storage: {what}", harm) for what, harm in ledger.harms(self._on_storage(ledger))]
        return Findings(
            lost=[where for where, harm in harms if harm is Harm.LOST],
            half_there=[where for where, harm in harms if harm is Harm.HALF],
            not_linearizable=list(_disordered(histories)),
            complaints=[*complaints, *self._complaints()],
        )

    def _found(self, node: str, paths: Sequence[str]) -> Mapping[str, Found]:
        """Return what a node shows at these paths."""
        with ThreadPoolExecutor(READERS) as pool:
            parts = pool.map(lambda part: self._read(node, part), (paths[n::READERS] for n in range(READERS)))
            return {path: found for part in parts for path, found in part.items()}

    def _read(self, node: str, paths: Iterable[str]) -> Mapping[str, Found]:
        reader, found = self._reader(node), {}
        for path in paths:
            content = reader.until_answered(self.requests.read(path))
            if content.is_done:
                tag = reader.until_answered(self.requests.read_tag(path))
                found[path] = Found(digest_of(_body(content)), tag_in(_body(tag)))
            elif content.reply is None or content.reply.status != 404:
                raise Inconsistent(f"{path} is answered {content}")
        reader.close()
        return found

    def _reader(self, node: str) -> Client:
        return Client(f"check of {node}", [node], self.connect(), lambda _: None)

    def _on_storage(self, ledger: Ledger) -> Mapping[str, Found]:
        """Return what the storage has; names there are those of the namespace."""
        found = {}
        for fate in ledger.fates.values():
            tag = next(iter(fate.tags))  # the storage has no metadata
            for path in fate.paths:
                if (file := self.arena.storage / path).exists():
                    found[path] = Found(digest_of(file.read_bytes()), tag)
        return found

    def _last_read(self, key: str, node: str) -> Operation:
        path, _, what = key.rpartition(" ")
        is_content = what == CONTENT
        ask = self.requests.read(path) if is_content else self.requests.read_tag(path)
        invoked, reader = time.monotonic(), self._reader(node)
        body = _body(reader.until_answered(ask))
        reader.close()
        return Operation(
            kind=Kind.READ,
            value=tag_of(body) if is_content else tag_in(body),
            invoked=invoked,
            completed=time.monotonic(),
            client=reader.name,
        )

    def _complaints(self) -> Iterable[str]:
        """Check store and cluster; what was under way when a process died may take a while to be tidied."""
        deadline = time.monotonic() + QUIET_LIMIT_S
        for check in (self.check_store, self.check_order):
            while (complaint := self._complaint(check)) and time.monotonic() < deadline:
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

    def check_order(self) -> None:
        """Demand that the cluster agrees with itself. Raises: Inconsistent."""
        if found := list(disorders(self.arena)):
            raise Inconsistent("; ".join(found))

    def check_store(self) -> None:
        """Demand that metadata, counters and storage fit together. Raises: Inconsistent, AssertionError."""
        with self.arena.store() as store:
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


def _body(result: Result) -> bytes:
    if not result.is_done or result.reply is None:
        raise Inconsistent(f"not answered: {result}")
    return result.reply.body


def _disordered(histories: Mapping[str, Sequence[Operation]]) -> Iterable[str]:
    for key, operations in histories.items():
        initial = first_tag(key.rpartition(" ")[0]) if key.endswith(CONTENT) else None
        verdict = judge(operations, initial)
        if not verdict.is_linearizable:
            yield f"{key}: none of {'; '.join(map(str, verdict.stuck_at[:4]))} can be next"

"""The load: clients that change files and remember every acknowledged operation, each in a thread.

``Load`` is given clients' connections and knows nothing of faults; benchmarks may use it too.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import define, field

from tests.faults.attempts import Attempt, Outcome
from tests.faults.client import Client, Note, Result
from tests.faults.connection import Connection
from tests.faults.ledger import Fate, Ledger, digest_of
from tests.faults.requesting import Ask, Requests, tag_in
from tests.support.linearizability import Kind, Operation

FOLDER = "load"
THINK_S = 0.02
LARGE_B = 1_000_000
MOST_OWN_FILES = 40
STOP_LIMIT_S = 30.0

Connect = Callable[[], Mapping[str, Connection]]


@define(eq=False)
class Records:
    """What all clients were told. Appending is atomic; read it when the clients have stopped."""

    attempts: list[Attempt] = field(factory=list)
    ledger: Ledger = field(factory=Ledger)
    histories: dict[str, list[Operation]] = field(factory=dict)
    wrong_answers: list[str] = field(factory=list)

    def acknowledged(self) -> int:
        """Return how many operations were."""
        return sum(one.outcome is Outcome.DONE for one in self.attempts)


@define(eq=False)
class _Owner:
    """A client's work on files of its own: one change at a time, each tried until the outcome is known."""

    client: Client
    requests: Requests
    records: Records
    random: random.Random
    run: str
    _sure: list[str] = field(factory=list)
    _numbers: Iterator[int] = field(factory=itertools.count)

    def step(self) -> None:
        """Do one operation, chosen at random."""
        acts = [self.upload] * 4 + [self.overwrite, self.tag, self.rename, self.remove, self.read, self.read]
        act = self.random.choice(acts)
        if act != self.upload and not self._sure:
            act = self.upload
        act()

    def upload(self) -> None:
        """Make a file under a new name, by one door or the other."""
        path, content = self._new_path(), self._content()
        fate = Fate(paths=(path,), digests=frozenset(), may_be_gone=True).written(digest_of(content), False)
        self.records.ledger.fates[path] = fate
        by_rest = self.random.random() < 0.3
        ask = self.requests.create(path, content) if by_rest else self.requests.upload(path, content)
        result = self.client.until_answered(ask)
        was_there_already = by_rest and result.is_doubtful and result.outcome is Outcome.REFUSED
        if result.is_done or (was_there_already and self._is_there(path)):
            self._know(path, Fate(paths=(path,), digests=frozenset([digest_of(content)]), ever=fate.ever))
            self._keep(path, result)
        elif result.outcome is Outcome.REFUSED:
            self._complain(f"upload of {path}", result)

    def overwrite(self) -> None:
        """Replace the content of a file."""
        path, content = self._take(), self._content()
        self._know(path, self._fate(path).written(digest_of(content), False))
        result = self.client.until_answered(self.requests.upload(self._fate(path).paths[0], content))
        self._settle(path, result, lambda fate: fate.written(digest_of(content), True), "overwrite")

    def tag(self) -> None:
        """Change the metadata item of a file."""
        path, tag = self._take(), f"{self.client.name} {self.random.getrandbits(32)}"
        self._know(path, self._fate(path).tagged(tag, False))
        result = self.client.until_answered(self.requests.put_tag(self._fate(path).paths[0], tag))
        self._settle(path, result, lambda fate: fate.tagged(tag, True), "metadata")

    def rename(self) -> None:
        """Give a file a new name."""
        path, goal = self._take(), self._new_path()
        self._know(path, self._fate(path).renamed(goal, False))
        result = self.client.until_answered(self.requests.rename(self._fate(path).paths[0], goal))
        if result.is_doubtful and result.outcome is Outcome.REFUSED and self._is_there(goal):
            result.outcome = Outcome.DONE  # an earlier attempt had moved it
        self._settle(path, result, lambda fate: fate.renamed(goal, True), "rename")

    def remove(self) -> None:
        """Remove a file."""
        path = self._take()
        self._know(path, self._fate(path).removed(False))
        result = self.client.until_answered(self.requests.remove(self._fate(path).paths[0]))
        if result.is_doubtful and result.reply is not None and result.reply.status == 404:
            result.outcome = Outcome.DONE  # an earlier attempt had removed it
        if result.is_done:
            self._know(path, self._fate(path).removed(True))
        elif result.outcome is Outcome.REFUSED:
            self._complain(f"removal of {path}", result)

    def read(self) -> None:
        """Read a file that is there for sure; another content is a wrong answer."""
        number = self.random.choice(self._sure)
        fate = self._fate(number)
        result = self.client.until_answered(self.requests.read(fate.paths[0]))
        if result.outcome is Outcome.REFUSED:
            self._complain(f"read of {fate.paths[0]}", result)
        elif result.is_done and result.reply is not None and {digest_of(result.reply.body)} != fate.digests:
            self.records.wrong_answers.append(f"read of {fate.paths[0]}: another content")

    def _settle(self, path: str, result: Result, sure: Callable[[Fate], Fate], what: str) -> None:
        if result.is_done:
            self._know(path, sure(self._fate(path)))
            self._keep(path, result)
        elif result.outcome is Outcome.REFUSED:
            self._complain(f"{what} of {path}", result)

    def _complain(self, what: str, result: Result) -> None:
        status = "" if result.reply is None else f"{result.reply.status} {result.reply.body[:120]!r}"
        self.records.wrong_answers.append(f"{what}: {status}")

    def _keep(self, path: str, result: Result) -> None:
        if not result.is_doubtful and len(self._sure) < MOST_OWN_FILES:
            self._sure.append(path)

    def _take(self) -> str:
        return self._sure.pop(self.random.randrange(len(self._sure)))

    def _is_there(self, path: str) -> bool:
        return self.client.until_answered(self.requests.read(path)).is_done

    def _fate(self, path: str) -> Fate:
        return self.records.ledger.fates[path]

    def _know(self, path: str, fate: Fate) -> None:
        self.records.ledger.fates[path] = fate

    def _new_path(self) -> str:
        return f"{FOLDER}/{self.run}-{self.client.name}-{next(self._numbers)}"

    def _content(self) -> bytes:
        chance = self.random.random()
        size_b = LARGE_B if chance < 0.02 else int(1000 ** (2 * chance * 0.8))
        return self.random.randbytes(max(1, size_b))


@define(eq=False)
class _Sharer:
    """A client's reads and writes of files that all clients write, each tried once at any node."""

    client: Client
    requests: Requests
    records: Records
    random: random.Random
    run: str
    hot: Sequence[str]
    _numbers: Iterator[int] = field(factory=itertools.count)

    def step(self) -> None:
        """Read or write content or metadata of one of the files."""
        path, is_content = self.random.choice(self.hot), self.random.random() < 0.5
        key = f"{path} {'content' if is_content else 'metadata'}"
        if self.random.random() < 0.4:
            tag = f"{self.run}-{self.client.name}-{next(self._numbers)}"
            put = self.requests.upload(path, tagged(tag)) if is_content else self.requests.put_tag(path, tag)
            self._write(key, put, tag)
        else:
            self._read(key, self.requests.read(path) if is_content else self.requests.read_tag(path))

    def _write(self, key: str, ask: Ask, tag: str) -> None:
        invoked = time.monotonic()
        result = self.client.attempt(ask, self._any_node())
        completed = time.monotonic() if result.is_done else None
        if result.outcome in (Outcome.DONE, Outcome.UNKNOWN):
            self._note(key, Kind.WRITE, tag, invoked, completed)

    def _read(self, key: str, ask: Ask) -> None:
        invoked = time.monotonic()
        result = self.client.attempt(ask, self._any_node())
        if result.is_done and result.reply is not None:
            value = tag_of(result.reply.body) if key.endswith("content") else tag_in(result.reply)
            self._note(key, Kind.READ, value, invoked, time.monotonic())

    def _note(self, key: str, kind: Kind, value: str | None, invoked: float, completed: float | None) -> None:
        self.records.histories.setdefault(key, []).append(
            Operation(kind=kind, value=value, invoked=invoked, completed=completed, client=self.client.name)
        )

    def _any_node(self) -> str:
        node = self.random.choice(self.client.nodes)
        return node if self.client.is_well(node) else self.client.best_node()


def tagged(tag: str) -> bytes:
    """Return a content that tells its tag and whether it is whole."""
    filler = hashlib.sha256(tag.encode()).hexdigest().encode() * (1 + len(tag) * 7 % 40)
    text = tag.encode() + b"\n" + filler
    return digest_of(text).encode() + b"\n" + text


def tag_of(content: bytes) -> str:
    """Return the tag of a content; a text that no write has for one that is not whole."""
    digest, _, text = content.partition(b"\n")
    whole = digest_of(text).encode() == digest
    return text.partition(b"\n")[0].decode() if whole else f"torn content of {len(content)} bytes"


@define(eq=False)
class Load:
    """So many clients, half of which prefer each node, until ``stop``.

    Args:
        run: a word that makes names of this run unique.
        connect: makes one client's connections, by node.
        hot: paths of files that all clients read and write; they are made at the start.
    """

    requests: Requests
    connect: Connect
    run: str
    clients: int = 4
    hot: Sequence[str] = ()
    seed: int = 1
    records: Records = field(factory=Records)
    _stopping: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)
    _failures: list[BaseException] = field(factory=list)

    def start(self) -> None:
        """Make the folder and the hot files, then let all clients begin."""
        client = self._client("first", 0, lambda _: None)
        client.until_answered(self.requests.make_folder(FOLDER))  # refused when it is there already
        for path in self.hot:
            content = tagged(first_tag(path))
            assert client.until_answered(self.requests.upload(path, content)).is_done, path
        client.close()
        for number in range(self.clients):
            thread = threading.Thread(target=self._work, args=[number], name=f"client {number}")
            self._threads.append(thread)
            thread.start()

    def stop(self) -> Records:
        """Let every client end its operation; return what they were told. Raises what a client raised."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_LIMIT_S)
            assert not thread.is_alive(), f"{thread.name} does not end"
        for failure in self._failures:
            raise failure
        return self.records

    def _client(self, name: str, number: int, note: Note) -> Client:
        connections = self.connect()
        nodes = list(connections)
        turned = nodes[number % len(nodes) :] + nodes[: number % len(nodes)]
        return Client(name, turned, connections, note, self._stopping)

    def _work(self, number: int) -> None:
        client = self._client(f"c{number}", number, self.records.attempts.append)
        chance = random.Random(f"{self.seed} {self.run} {number}")
        owner = _Owner(client, self.requests, self.records, chance, self.run)
        sharer = _Sharer(client, self.requests, self.records, chance, self.run, self.hot)
        try:
            while not self._stopping.wait(THINK_S):
                if self.hot and chance.random() < 0.5:
                    sharer.step()
                else:
                    owner.step()
        except Exception as error:  # noqa: BLE001 - handed to the thread that stops the load
            self._failures.append(error)
        finally:
            client.close()


def first_tag(path: str) -> str:
    """Return the tag that a hot file has at the start."""
    return f"first of {path}"

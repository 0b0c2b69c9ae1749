"""Files that all clients read and write, and contents that tell whether they are whole."""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections.abc import Iterator, Sequence

from attrs import define, field

from tests.faults.attempts import Outcome
from tests.faults.client import Client
from tests.faults.ledger import digest_of
from tests.faults.records import Records
from tests.faults.requesting import Ask, Requests, tag_in
from tests.support.linearizability import Kind, Operation

CONTENT, METADATA = "content", "metadata"


@define(eq=False)
class HotFiles:
    """One client's reads and writes of ``paths``, each tried once, at any node."""

    client: Client
    requests: Requests
    records: Records
    random: random.Random
    paths: Sequence[str]
    _numbers: Iterator[int] = field(factory=itertools.count)

    def step(self) -> None:
        """Read or write content or metadata of one of the files."""
        path, is_content = self.random.choice(self.paths), self.random.random() < 0.5
        key = f"{path} {CONTENT if is_content else METADATA}"
        if self.random.random() < 0.4:
            tag = f"{self.client.name} {next(self._numbers)}"
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
            value = tag_of(result.reply.body) if key.endswith(CONTENT) else tag_in(result.reply.body)
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


def first_tag(path: str) -> str:
    """Return the tag that a hot file has at the start."""
    return f"first of {path}"

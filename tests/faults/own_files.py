"""What one client does with files of its own: one change at a time, each tried until its outcome is known."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

from attrs import define, field

from tests.faults.attempts import Outcome
from tests.faults.client import Client, Result
from tests.faults.ledger import Fate, digest_of
from tests.faults.records import Records
from tests.faults.requesting import Requests

LARGE_B = 1_000_000
MOST = 40
"""So many files are kept for further changes."""


@define(eq=False)
class OwnFiles:
    """Files below ``folder`` that this client alone changes."""

    client: Client
    requests: Requests
    records: Records
    random: random.Random
    folder: str
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
        if result.is_done:
            self._know(path, Fate(paths=(path,), digests=frozenset([digest_of(content)]), ever=fate.ever))
            self._keep(path, result)
        else:
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
        self._settle(path, result, lambda fate: fate.renamed(goal, True), "rename")

    def remove(self) -> None:
        """Remove a file."""
        path = self._take()
        self._know(path, self._fate(path).removed(False))
        result = self.client.until_answered(self.requests.remove(self._fate(path).paths[0]))
        if result.is_done:
            self._know(path, self._fate(path).removed(True))
        else:
            self._complain(f"removal of {path}", result)

    def read(self) -> None:
        """Read a file that is there for sure; another content is a wrong answer."""
        number = self.random.choice(self._sure)
        fate = self._fate(number)
        result = self.client.until_answered(self.requests.read(fate.paths[0]))
        if result.outcome is Outcome.REFUSED:
            self.records.wrong_answers.append(f"read of {fate.paths[0]}: {result.reply}")
        elif result.is_done and result.reply is not None and {digest_of(result.reply.body)} != fate.digests:
            self.records.wrong_answers.append(f"read of {fate.paths[0]}: another content")

    def _settle(self, path: str, result: Result, sure: Callable[[Fate], Fate], what: str) -> None:
        if result.is_done:
            self._know(path, sure(self._fate(path)))
            self._keep(path, result)
        else:
            self._complain(f"{what} of {path}", result)

    def _complain(self, what: str, result: Result) -> None:
        """Note a refusal, unless an earlier attempt may be its reason: then all stays open."""
        if result.outcome is not Outcome.REFUSED or result.is_doubtful:
            return
        status = "" if result.reply is None else f"{result.reply.status} {result.reply.body[:120]!r}"
        self.records.wrong_answers.append(f"{what}: {status}")

    def _keep(self, path: str, result: Result) -> None:
        if not result.is_doubtful and len(self._sure) < MOST:
            self._sure.append(path)

    def _take(self) -> str:
        return self._sure.pop(self.random.randrange(len(self._sure)))

    def _fate(self, path: str) -> Fate:
        return self.records.ledger.fates[path]

    def _know(self, path: str, fate: Fate) -> None:
        self.records.ledger.fates[path] = fate

    def _new_path(self) -> str:
        return f"{self.folder}/{self.client.name}-{next(self._numbers)}"

    def _content(self) -> bytes:
        chance = self.random.random()
        size_b = LARGE_B if chance < 0.02 else int(1000 ** (2 * chance * 0.8))
        return self.random.randbytes(max(1, size_b))

"""Talks with the managers' HTTP doors: tries all that are known and follows to the one that leads.

There is no reactor in a terminal command; everything here waits.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import frozen

Json = dict[str, Any]
LEADER = "leader"


class NoLeader(Exception):
    """No manager could be asked that leads; the text says what each of them said.

    Attributes:
        standby: what a standby has answered, if one has.
    """

    def __init__(self, text: str, standby: Json | None = None) -> None:
        super().__init__(text)
        self.standby = standby


class Declined(Exception):
    """The leader, or a manager before it knew whether it leads, declined; the text says why."""


class BadFiles(Exception):
    """Certificates cannot be read."""


@frozen(kw_only=True)
class Files:
    """PEM files; without a certificate of one's own one may only read, from where that is allowed."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What connections are made with. Raises: BadFiles."""
        try:
            context = ssl.create_default_context(cafile=str(self.ca))
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as problem:
            raise BadFiles(f"{self.ca}, {self.cert}: {problem}") from problem
        return context


class ManagerClient:
    """Remembers which manager has led last and asks it first.

    Args:
        urls: of the doors, such as ``https://cm1.example:5057``.
        timeout_s: for each answer.
    """

    def __init__(self, urls: Sequence[str], context: ssl.SSLContext, timeout_s: float = 5.0) -> None:
        self._urls, self._context, self._timeout_s = list(urls), context, timeout_s

    def status(self) -> Json:
        """Return the leader's ``/status``. Raises: NoLeader; Declined."""
        problems: list[str] = []
        standby: Json | None = None
        for url in self._managers(problems):
            try:
                code, answer = self._ask(url, "GET", "/status")
            except (OSError, HTTPException, ValueError) as problem:
                problems.append(f"{url}: {problem}")
                continue
            if code != 200:
                raise Declined(_sentence(answer, code))
            if answer["manager"]["role"] == LEADER:
                self._first(url)
                return answer
            standby = answer
            problems.append(f"{url}: a standby")
            self._learn(answer["leader"] and answer["leader"]["url"])
        raise NoLeader("; ".join(problems), standby)

    def resize(self, node: str, what: str) -> str:
        """Ask the leader for ``drain``, ``undrain`` or ``leave``; return what the node does now.

        Raises: NoLeader; Declined.
        """
        problems: list[str] = []
        for url in self._managers(problems):
            try:
                code, answer = self._ask(url, "POST", f"/nodes/{quote(node, safe='@')}/{what}")
            except (OSError, HTTPException, ValueError) as problem:
                problems.append(f"{url}: {problem}")
                continue
            if code == 202:
                self._first(url)
                return str(answer["state"])
            error = answer.get("error", {})
            if error.get("id") != "notLeader":
                raise Declined(_sentence(answer, code))
            problems.append(f"{url}: a standby")
            self._learn(error.get("details", {}).get("leader"))
        raise NoLeader("; ".join(problems))

    def _managers(self, problems: list[str]) -> Iterator[str]:
        """Every manager once, also those that are learnt of on the way."""
        asked: set[str] = set()
        while waiting := [url for url in self._urls if url not in asked]:
            asked.add(waiting[0])
            yield waiting[0]

    def _learn(self, url: str | None) -> None:
        if url and url not in self._urls:
            self._urls.append(url)

    def _first(self, url: str) -> None:
        self._urls.remove(url)
        self._urls.insert(0, url)

    def _ask(self, url: str, method: str, path: str) -> tuple[int, Json]:
        parts = urlsplit(url)
        connection = HTTPSConnection(
            parts.hostname or "", parts.port, timeout=self._timeout_s, context=self._context
        )
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            text = answer.read()
            found = json.loads(text) if text else {}
            return answer.status, found if isinstance(found, dict) else {}
        finally:
            connection.close()


def _sentence(answer: Json, code: int) -> str:
    return str(answer.get("error", {}).get("description") or f"the manager answered {code}")

"""The examples of docs/cdmi.md and of the pages below docs/cdmi/, and how answers are compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from attrs import evolve, frozen

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "cdmi.md", *sorted((DOCS / "cdmi").glob("*.md"))]
ANY = "…"
MOST_TRIES = 100
PAUSE_S = 0.05
"""Between the tries of a request that the page says to repeat: its block begins with ``http repeated``."""
_BLOCK = re.compile(r"^```http( repeated)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCHEME = re.compile(r"^https?://")


class Answered(Protocol):
    """An answer as it came; names of headers in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@frozen
class Message:
    """A request or an answer as the page shows it; ``tries`` is how often a request may be sent."""

    line: str
    headers: Mapping[str, str]
    body: str
    tries: int = 1

    @property
    def payload(self) -> bytes:
        """The body as it is sent; lines of multi-part MIME end as RFC 2046 wants it."""
        kind = self.headers.get("Content-Type", "")
        body = self.body.replace("\n", "\r\n") if kind.startswith("multipart/") else self.body
        return body.encode()

    def renamed(self, names: Mapping[str, str]) -> Message:
        """Return the same with other words, of the same length, everywhere."""
        return evolve(
            self,
            line=_renamed(self.line, names),
            headers={name: _renamed(value, names) for name, value in self.headers.items()},
            body=_renamed(self.body, names),
        )


def examples(page: Path) -> list[tuple[Message, Message]]:
    """Return the requests of a page, each with its answer, in their order."""
    found = [_message(*block) for block in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    assert found and len(found) % 2 == 0, page
    return list(zip(found[::2], found[1::2], strict=True))


def is_as_shown(asked: Message, shown: Message, answer: Answered) -> bool:
    """Whether ``check`` would pass."""
    try:
        check(asked, shown, answer)
    except AssertionError:
        return False
    return True


def check(asked: Message, shown: Message, answer: Answered) -> None:
    """Fail unless the answer is as the page shows it.

    The scheme of an address in a header is not compared: a test may do without TLS.
    """
    assert answer.status == int(shown.line), (asked, answer)
    for name, value in shown.headers.items():
        found = answer.headers[name.lower()]
        assert fits(_SCHEME.sub("", value), _SCHEME.sub("", found)), (asked, name, found)
    if shown.body.startswith("{"):
        found_json = json.loads(answer.body)
        assert fits(json.loads(shown.body), found_json), (asked, found_json)
    elif shown.body != ANY:
        assert answer.body.decode() == shown.body, asked


def fits(expected: object, found: object) -> bool:
    """Whether something is as shown, the order of members included; ``…`` is anything, in texts too."""
    if expected == ANY:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(expected) == list(found) and all(fits(expected[name], found[name]) for name in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(fits, expected, found))
    if isinstance(expected, str) and isinstance(found, str) and ANY in expected:
        pattern = ".*".join(map(re.escape, expected.split(ANY)))
        return re.fullmatch(pattern, found, re.DOTALL) is not None
    return expected == found


def _message(repeated: str, block: str) -> Message:
    head, _, body = block.partition("\n\n")
    line, *lines = head.strip().split("\n")
    headers = dict(each.split(": ", 1) for each in lines)
    return Message(line, headers, body.strip(), MOST_TRIES if repeated else 1)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        assert len(old) == len(new)
        text = text.replace(old, new)
    return text

"""The examples of docs/cdmi.md and of the pages below docs/cdmi/, sent and compared in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [DOCS / "cdmi.md", *sorted((DOCS / "cdmi").glob("*.md"))]
ANY = "…"
_BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@frozen
class Message:
    """A request or an answer as the page shows it."""

    line: str
    headers: dict[str, str]
    body: str


def messages(page: Path) -> list[Message]:
    found = []
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        head, _, body = block.partition("\n\n")
        line, *lines = head.strip().split("\n")
        headers = dict(each.split(": ", 1) for each in lines)
        found.append(Message(line, headers, body.strip()))
    return found


def fits(expected: object, found: object) -> bool:
    """Whether an answer is as shown, the order of members included."""
    if expected == ANY:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(expected) == list(found) and all(fits(expected[name], found[name]) for name in expected)
    return expected == found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@ensureDeferred
async def test_every_example_is_answered_as_the_page_shows(client: Client, page: Path) -> None:
    client.token = None
    pairs = messages(page)
    assert pairs and len(pairs) % 2 == 0
    for asked, shown in zip(pairs[::2], pairs[1::2], strict=True):
        method, path = asked.line.split(" ")
        headers = {name: value.replace("TOKEN", "owner") for name, value in asked.headers.items()}
        body = asked.body
        if headers.get("Content-Type", "").startswith("multipart/"):
            body = body.replace("\n", "\r\n")
        reply = await client.send(method, path, body.encode(), headers)
        assert reply.status == int(shown.line), (asked, reply)
        for name, value in shown.headers.items():
            assert reply.headers[name.lower()] == value, asked
        if shown.body.startswith("{"):
            assert fits(json.loads(shown.body), reply.json), (asked, reply.json)
        elif shown.body != ANY:
            assert reply.body.decode() == shown.body, asked

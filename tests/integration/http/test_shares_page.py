"""The examples of docs/shares.md, sent and compared in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import OWNER, SPACE, RestClient

PAGE = Path(__file__).resolve().parents[3] / "docs" / "shares.md"
ANY = "…"
_BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\$([A-Z]+)")


def split(block: str) -> tuple[str, dict[str, str], str]:
    """Return the first line, the headers and the body of a message."""
    head, _, body = block.partition("\n\n")
    line, *headers = head.strip().split("\n")
    return line, dict(header.split(": ", 1) for header in headers), body.strip()


def learn(shown: Any, found: Any, names: dict[str, str]) -> None:
    """Compare an answer with the page; a name that is new stands for what was found."""
    if isinstance(shown, dict):
        assert shown.keys() == found.keys()
        for key in shown:
            learn(shown[key], found[key], names)
    elif isinstance(shown, list):
        assert len(shown) == len(found)
        for one, other in zip(shown, found, strict=True):
            learn(one, other, names)
    elif isinstance(shown, str) and shown.startswith("$") and shown[1:] not in names:
        names[shown[1:]] = found
    elif shown != ANY:
        assert filled(shown, names) == found


def filled(text: Any, names: dict[str, str]) -> Any:
    if not isinstance(text, str):
        return text
    return _NAME.sub(lambda match: names.get(match[1], match[0]), text)


@ensureDeferred
async def test_the_page_shows_what_the_doors_answer(rest: RestClient) -> None:
    await rest.create("autumn/a.csv", b"1,2,3\n")
    directory = (await rest.post("/lookup-file-id/Science/autumn")).json["fileId"]
    names = {
        "TOKEN": "owner",
        "HOST": "example.org:8443",
        "SPACE": SPACE,
        "USER": OWNER,
        "DIRECTORY": directory,
    }
    blocks = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 12
    for request, expected in zip(blocks[::2], blocks[1::2], strict=True):
        line, headers, body = split(filled(request, names))
        method, path = line.split()
        answer = await rest.ask(
            method,
            path,
            base="",
            token=None,
            body=body.encode() or None,
            **{name.replace("-", "_"): value for name, value in headers.items()},
        )
        status, told, text = split(expected)
        assert status == f"HTTP/1.1 {answer.status}", (line, answer)
        if text.startswith("{"):
            learn(json.loads(text), answer.json, names)
        else:
            assert answer.body.decode().strip() == text
        for name, value in told.items():
            assert answer.headers[name.lower()] == filled(value, names)

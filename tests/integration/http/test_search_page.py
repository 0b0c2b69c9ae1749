"""Every example of docs/search.md finds what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_twisted import ensureDeferred

from op_worker.search.grammar import ATTRIBUTES
from tests.integration.http.rest_client import SPACE
from tests.integration.http.test_rest_search import Searched, site

__all__ = ["site"]
PAGE = (Path(__file__).parents[3] / "docs" / "search.md").read_text()


def examples() -> list[tuple[str, list[str]]]:
    """Pairs of a query and the paths that it finds."""
    table = PAGE.partition("<!-- examples -->")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(.+?)` \| (`/.*`) \|$", table, re.MULTILINE)
    return [(query, re.findall(r"`(.+?)`", paths)) for query, paths in rows]


@ensureDeferred
async def test_every_example_finds_what_the_page_says(site: Searched) -> None:
    rest = site.rest
    large = await rest.create("scans/large.tif")
    far = f"/data/{large}/content?offset={11 * 2**20}"
    assert (await rest.put(far, body=b"x", Content_Type="application/octet-stream")).status == 204
    small, notes = await rest.create("scans/small.tif", b"1"), await rest.create("scans/notes.txt", b"2")
    await rest.put(f"/data/{large}/metadata/xattrs", value={"project": "x", "run": "12"})
    document = {"a": {"b": [1, 2, 3]}, "done": True, "result": None, "two words": {"key": "a"}}
    await rest.put(f"/data/{large}/metadata/json", value=document)
    await rest.put(f"/data/{small}/metadata/xattrs", value={"project": "y"})
    await rest.put(f"/data/{notes}/metadata/xattrs", value={"user.note": "was checked twice"})
    await rest.put(f"/data/{notes}", value={"mode": "600"})
    assert len(examples()) > 10
    for query, paths in examples():
        answer = await rest.post(f"/spaces/{SPACE}/search", value={"query": query})
        assert answer.status == 200, (query, answer)
        found = [file["path"].removeprefix("/Science") for file in answer.json["files"]]
        assert (query, sorted(found)) == (query, sorted(paths))


def test_the_grammar_on_the_page_names_every_field() -> None:
    grammar = PAGE.partition("<!-- grammar -->")[2].partition("```\n\n")[0]
    named = set(re.findall(r'"(\w+)"', grammar.partition("field       =")[2].partition("part        =")[0]))
    assert named == {*ATTRIBUTES, "xattr", "json"}

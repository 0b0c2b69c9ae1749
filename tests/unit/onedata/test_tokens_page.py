"""The page docs/tokens.md is true: its example runs, its table of caveats is what the code reads."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

from onedata.tokens import caveat_from_json, parse_caveat
from onedata.tokens.caveats import CAVEATS

PAGE = Path(__file__).parents[3] / "docs" / "tokens.md"
ROW = re.compile(r"^\| `(.+?)` \| `(\{.+?\})` \| ", re.MULTILINE)


def test_examples_on_the_page_of_tokens_run() -> None:
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 8
    assert results.failed == 0


def test_caveat_table_on_the_page_is_complete_and_true() -> None:
    rows = ROW.findall(PAGE.read_text())
    caveats = [parse_caveat(text.replace("\\|", "|")) for text, _ in rows]
    assert [caveat.to_json() for caveat in caveats] == [json.loads(obj) for _, obj in rows]
    assert caveats == [caveat_from_json(json.loads(obj)) for _, obj in rows]
    assert {type(caveat) for caveat in caveats} == set(CAVEATS.values())

"""The page about checks against the code."""

from __future__ import annotations

from pathlib import Path

from op_worker.fsck.findings import KINDS, Code, Mending

PAGE = Path(__file__).parents[3] / "docs" / "fsck.md"


def test_the_page_lists_every_code_as_it_is() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    kinds = [
        f"| `{code}` | {kind.severity} | {kind.mending} | {kind.meaning} | {kind.repair} |"
        for code, kind in KINDS.items()
    ]
    assert rows[: len(kinds)] == kinds


def test_every_code_has_a_kind_and_says_what_its_repair_does() -> None:
    assert set(KINDS) == set(Code)
    assert all(bool(kind.repair) is (kind.mending is not Mending.NONE) for kind in KINDS.values())

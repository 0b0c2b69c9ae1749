"""The page of permissions names everything that a decision can name."""

from __future__ import annotations

from pathlib import Path

from op_worker.files.operations import ALL_NAMES
from op_worker.files.rights.acl_forms import FLAG_WORDS, MASK_WORDS
from op_worker.files.rights.protection import NAMES
from op_worker.files.rights.verdicts import FactKind

PAGE = (Path(__file__).parents[3] / "docs" / "permissions.md").read_text()


def test_every_kind_of_fact_has_its_row() -> None:
    assert [kind for kind in FactKind if f"`{kind.value}`" not in PAGE] == []


def test_every_operation_flag_and_word_is_told() -> None:
    assert [name for name in (*ALL_NAMES, *NAMES) if name not in PAGE] == []
    words = {*FLAG_WORDS, *MASK_WORDS}
    assert [word for word in words if word not in PAGE and word.lower() not in PAGE] == []

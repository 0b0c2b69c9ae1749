"""What the capability objects advertise is exactly what the tests exercise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from op_worker.files.rules.offer import Offer
from op_worker.http.cdmi.capabilities.tree import advertised

TESTS = Path(__file__).resolve().parents[2]
KINDS = {"system", "container", "dataobject", "queue", "domain"}
_LEFT_OUT = {"skip", "skipif", "xfail"}
_IN_POLAND = Offer(countries=("PL",))
EVERYTHING = advertised() | advertised(_IN_POLAND)
"""With what is advertised only where the operator says where files lie."""


def _mark(decorator: ast.expr) -> str:
    """Return ``name`` of ``@pytest.mark.name`` and ``@pytest.mark.name(…)``, "" of other decorators."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    is_mark = isinstance(function, ast.Attribute) and ast.unparse(function.value) == "pytest.mark"
    return function.attr if isinstance(function, ast.Attribute) and is_mark else ""


def _marks_of_module(module: ast.Module) -> list[ast.expr]:
    """Return the marks in ``pytestmark = mark`` or ``pytestmark = [mark, …]``."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            return node.value.elts if isinstance(node.value, ast.List) else [node.value]
    return []


def _capabilities(decorator: ast.expr) -> list[str]:
    """Return what one decorator marks; anything but plain texts is an error."""
    assert isinstance(decorator, ast.Call), ast.unparse(decorator)
    names = [ast.literal_eval(text) for text in decorator.args]
    assert names and all(isinstance(name, str) for name in names), ast.unparse(decorator)
    return names


def marked_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield test and capability for every mark at a test that runs whenever the suite does."""
    module = ast.parse(source)
    everywhere = _marks_of_module(module)
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        own = node.decorator_list
        inherited = everywhere if node in module.body and node.name.startswith("test_") else []
        marks = [(_mark(each), each) for each in (*own, *inherited)]
        carried = [name for mark, each in marks if mark == "capability" for name in _capabilities(each)]
        if not carried:
            continue
        assert node.name.startswith("test_"), f"{node.name} is no test"
        if not _LEFT_OUT & {mark for mark, _ in marks}:
            yield from ((node.name, name) for name in carried)


def marked() -> dict[str, list[str]]:
    """Return the tests that exercise each capability."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "capability(" in source:
            for test, name in marked_in(source):
                found.setdefault(name, []).append(f"{path.name}::{test}")
    return found


def test_every_capability_that_is_advertised_is_exercised_by_a_test() -> None:
    assert not sorted(EVERYTHING - marked().keys()), "advertised, and no test carries the mark"


def test_every_capability_that_a_test_exercises_is_advertised() -> None:
    found = marked()
    assert not {name: found[name] for name in sorted(found.keys() - EVERYTHING)}


def test_where_files_lie_is_promised_where_the_operator_says_it_and_changes_nothing_else() -> None:
    kinds = ("container", "dataobject", "queue")
    assert advertised(_IN_POLAND) - advertised() == {f"{kind}/cdmi_geographic_placement" for kind in kinds}
    assert advertised() < advertised(_IN_POLAND)


def test_capabilities_are_named_by_their_kind() -> None:
    assert {name.partition("/")[0] for name in EVERYTHING} <= KINDS
    assert all(name.partition("/")[2] for name in EVERYTHING)


def test_marks_are_read_from_tests_and_from_nothing_else() -> None:
    source = """
import pytest
TEXT = "@pytest.mark.capability('system/in_a_text')"
# @pytest.mark.capability("system/in_a_comment")
@pytest.mark.capability("system/a", "system/b")
@pytest.mark.slow
async def test_marked() -> None: ...
@pytest.mark.skip
@pytest.mark.capability("system/never_run")
def test_skipped() -> None: ...
"""
    everywhere = """
pytestmark = pytest.mark.capability("system/c")
def helper() -> None: ...
def test_of_a_marked_module() -> None: ...
"""
    assert list(marked_in(everywhere)) == [("test_of_a_marked_module", "system/c")]
    assert list(marked_in(source)) == [("test_marked", "system/a"), ("test_marked", "system/b")]

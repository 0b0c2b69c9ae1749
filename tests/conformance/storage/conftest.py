"""Runs the suite over every enrolled helper, and prints what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture

from op_worker.storage.helper import SupportsClosing
from tests.conformance.storage.enrolment import WORDS, Enrolled
from tests.conformance.storage.outcomes import Outcomes
from tests.conformance.storage.places import Place, Servers

HERE = Path(__file__).parent
_numbers = count(1)
OUTCOMES = pytest.StashKey[Outcomes]()


def enrolled_helpers() -> Sequence[Enrolled]:
    """Everything that is enrolled, in the order of the modules."""
    names = sorted(path.stem for path in (HERE / "enrolled").glob("*.py"))
    modules = [import_module(f"tests.conformance.storage.enrolled.{name}") for name in names]
    return [each for module in modules for each in module.ENROLLED]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "enrolled" in metafunc.fixturenames:
        metafunc.parametrize("enrolled", enrolled_helpers(), ids=lambda each: each.name, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of powers that a helper does not have; skip, with the reason, what it lacks."""
    outcomes = config.stash.setdefault(OUTCOMES, Outcomes())
    kept = []
    for item in items:
        enrolled = _enrolled_of(item)
        wanted = [word for mark in item.iter_markers("needs") for word in mark.args]
        if enrolled is None:
            kept.append(item)
            continue
        item.user_properties.append((Outcomes.PROPERTY, enrolled.name))
        if any(isinstance(word, type) and word not in enrolled.powers for word in wanted):
            outcomes.does_not_apply(enrolled.name)
            continue
        for word in wanted:
            if isinstance(word, str) and word in enrolled.lacks:
                item.add_marker(pytest.mark.skip(reason=f"{WORDS[word]}: {enrolled.lacks[word]}"))
        kept.append(item)
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what came of each helper."""
    outcomes = config.stash.get(OUTCOMES, None)
    if outcomes is None:
        return
    for kind in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(kind, []):
            outcomes.note(kind, report)
    lines = outcomes.table()
    if lines:
        terminalreporter.section("storage helpers")
        for line in lines:
            terminalreporter.line(line)


def _enrolled_of(item: pytest.Item) -> Enrolled | None:
    call = getattr(item, "callspec", None)
    found = None if call is None else call.params.get("enrolled")
    return found if isinstance(found, Enrolled) else None


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of enrolled helpers."""
    running = Servers(tmp_path_factory.mktemp("storages"))
    yield running
    running.close()


@async_yield_fixture
async def place(enrolled: Enrolled, servers: Servers) -> AsyncIterator[Place]:
    """An empty place of an enrolled storage."""
    server = servers.of(enrolled)
    name = f"place{next(_numbers)}"
    made = Place(enrolled, server, name, enrolled.make(server, name))
    yield made
    if isinstance(made.helper, SupportsClosing):
        await made.helper.close()

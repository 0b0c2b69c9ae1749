"""A few faults under load, at every run of the tests; ``./make.py faults`` injects all of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.faults.figures import Figures
from tests.faults.suite import SOME, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LONGEST_PAUSE_S = 15.0
"""No fault lasts longer than eight seconds, after which service is to come back within a few."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Figures]:
    """The figures of every scenario, by its name."""
    return {figures.fault: figures for figures in run(SOME, tmp_path_factory.mktemp("faults"))}


@pytest.fixture(params=SOME, ids=" + ".join)
def figures(request: pytest.FixtureRequest, results: Mapping[str, Figures]) -> Figures:
    """The figures of one scenario."""
    return results[" + ".join(request.param)]


def test_every_acknowledged_write_is_there_with_its_digest(figures: Figures) -> None:
    assert figures.acknowledged > 50
    assert list(figures.lost) == []


def test_nothing_unacknowledged_is_half_there(figures: Figures) -> None:
    assert list(figures.half_there) == []
    assert list(figures.complaints) == []


def test_no_client_gets_a_wrong_answer(figures: Figures) -> None:
    assert list(figures.wrong_answers) == []


def test_reads_and_writes_of_hot_files_fit_into_one_order(figures: Figures) -> None:
    assert list(figures.not_linearizable) == []


def test_full_service_is_back_and_no_client_waits_much_longer_than_the_fault(figures: Figures) -> None:
    assert figures.after_s is not None
    assert figures.longest_pause_s < LONGEST_PAUSE_S

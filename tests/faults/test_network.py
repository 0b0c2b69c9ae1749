"""The network of the suite does to packets what it says, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil
import pytest

from tests.faults.suite import ROOT
from tests.support.isolation import isolated

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial() -> Mapping[str, Any]:
    """What each condition of a link did."""
    command = isolated([sys.executable, "-m", "tests.faults.trial"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_good_link_answers_at_once_also_after_it_was_cut(trial: Mapping[str, Any]) -> None:
    assert trial["answered"]["good"] < 0.2
    assert trial["answered"]["healed"] < 0.2


def test_late_link_costs_its_delay_in_each_direction(trial: Mapping[str, Any]) -> None:
    assert trial["answered"]["late"] >= 0.8  # a connection is made and something asked: two round trips


@pytest.mark.parametrize("direction", ["cut", "cut there", "cut back"])
def test_nothing_comes_back_over_a_link_that_is_cut_in_any_direction(
    trial: Mapping[str, Any], direction: str
) -> None:
    assert trial["answered"][direction] is None


def test_lossy_link_loses_its_share_and_tcp_gets_everything_through(trial: Mapping[str, Any]) -> None:
    assert trial["lossy"] is not None
    assert 0.02 < trial["lost"] < 0.1


def test_network_is_fast_enough_not_to_be_what_is_measured(trial: Mapping[str, Any]) -> None:
    assert trial["mb_s"] > 5


def test_everything_that_runs_isolated_dies_with_the_process_that_started_it() -> None:
    seconds = str(100_000 + time.monotonic_ns() % 1_000_000)  # a number by which they are known
    outer = subprocess.Popen(isolated(["bash", "-c", f"sleep {seconds} & exec sleep {seconds}"]))
    try:
        _wait(lambda: len(_sleeping(seconds)) == 2, "both processes run")
    finally:
        outer.kill()
        outer.wait(10)
    _wait(lambda: not _sleeping(seconds), "nobody is left")


def _sleeping(seconds: str) -> Sequence[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", seconds]]


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"not within 10 s: {what}"
        time.sleep(0.02)

"""The log as lines of JSON and of text: members, request ids, failures, levels, reopening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.logger import Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure

from cluster_worker.runtime.log_files import LogFiles, LogSection
from cluster_worker.runtime.request_ids import REQUEST_ID


class Log:
    """Log files in a folder, and a logger that writes to them."""

    def __init__(self, folder: Path, section: LogSection) -> None:
        self.folder = folder / "log"
        publisher = LogPublisher()
        self.files = LogFiles(self.folder, section, daemon="op_worker", node="worker@w1", publisher=publisher)
        self.logger = Logger("some.place", observer=publisher)

    def text(self, name: str = "info.log") -> str:
        return (self.folder / name).read_text()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text("op_worker.json").splitlines()]


@contextmanager
def opened(folder: Path, section: LogSection | None = None) -> Iterator[Log]:
    log = Log(folder, section or LogSection())
    log.files.startService()
    yield log
    log.files.stopService()


def test_a_line_says_when_where_and_what_with_its_fields(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.logger.warn("{size_b} bytes of {name} are gone", size_b=7, name=Path("x\ny"))
        (line,) = log.lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warn",
        "namespace": "some.place",
        "node": "worker@w1",
        "message": "7 bytes of x\ny are gone",
        "fields": {"size_b": 7, "name": "x\ny"},
    }


def test_lines_of_a_request_carry_its_id_in_both_forms(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        outside = REQUEST_ID.set("req-1")
        log.logger.info("inside")
        REQUEST_ID.reset(outside)
        log.logger.info("outside")
        assert [line.get("request_id") for line in log.lines()] == ["req-1", None]
        inside, after = log.text().splitlines()
    assert inside.endswith("[some.place#info req-1] inside")
    assert after.endswith("[some.place#info] outside")


def test_a_failure_is_told_with_its_traceback_on_the_same_line(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        try:
            raise ZeroDivisionError("of all things")
        except ZeroDivisionError:
            log.logger.failure("it broke", failure=Failure())
        (line,) = log.lines()
    assert line["level"] == "critical"
    assert line["failure"]["type"] == "builtins.ZeroDivisionError"
    assert line["failure"]["reason"] == "of all things"
    assert "Traceback" in line["failure"]["traceback"]


def test_a_value_that_cannot_be_shown_does_not_lose_the_line(tmp_path: Path) -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError

    with opened(tmp_path) as log:
        log.logger.info("a value", rude=Rude(), long="x" * 100_000)
        (line,) = log.lines()
    assert line["fields"]["rude"] == "<Rude>"
    assert len(line["fields"]["long"]) < 20_000


def test_another_level_is_used_at_once_and_files_are_opened_anew(tmp_path: Path) -> None:
    with opened(tmp_path, LogSection(level="warn")) as log:
        log.logger.info("not wanted")
        (log.folder / "info.log").rename(log.folder / "moved")
        log.files.use(LogSection(level="debug"))
        log.logger.emit(LogLevel.debug, "wanted")
        assert [line["message"] for line in log.lines()] == ["wanted"]
        assert log.text("moved") == ""
        assert log.text().endswith("wanted\n")

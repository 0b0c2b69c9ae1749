"""A daemon's log in its state folder, besides what ``twistd`` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from attrs import field, frozen
from attrs.validators import ge
from twisted.application.service import Service
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    globalLogPublisher,
)
from twisted.python.logfile import LogFile

from cluster_worker.runtime.log_lines import json_line, text_line

LogLevelName = Literal["debug", "info", "warn", "error", "critical"]


@frozen(kw_only=True)
class LogSection:
    """The log files in <state_dir>/log. SIGHUP opens them anew."""

    level: LogLevelName = field(
        default="info",
        metadata={"help": "What info.log and the JSON log take, from this level on.", "reload": True},
    )
    rotate_b: int = field(
        default=50 * 1024 * 1024,
        validator=ge(4096),
        metadata={"help": "A log file of so many bytes is renamed and a new one begun.", "reload": True},
    )
    kept_files: int = field(
        default=10, validator=ge(1), metadata={"help": "So many renamed files are kept.", "reload": True}
    )


class LogFiles(Service):
    """Writes the log while it runs.

    ``info.log`` gets everything from the configured level on, ``error.log`` errors, and
    ``<daemon>.json`` what ``info.log`` gets as lines of JSON.

    Args:
        daemon: names the JSON file. node: stands in each of its lines.
    """

    def __init__(
        self,
        folder: Path,
        section: LogSection,
        *,
        daemon: str,
        node: str,
        publisher: LogPublisher = globalLogPublisher,
    ) -> None:
        self._folder, self._section, self._publisher = folder, section, publisher
        self._daemon, self._node = daemon, node
        self._wanted = LogLevelFilterPredicate()
        self._observers: list[FilteringLogObserver] = []
        self._files: list[LogFile] = []

    def startService(self) -> None:
        super().startService()
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._wanted.setLogLevelForNamespace("", LogLevel.lookupByName(self._section.level))
        errors = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
        self._add("info.log", self._wanted, text_line)
        self._add("error.log", errors, text_line)
        self._add(f"{self._daemon}.json", self._wanted, lambda event: json_line(event, self._node))

    def stopService(self) -> None:
        super().stopService()
        while self._observers:
            self._publisher.removeObserver(self._observers.pop())
        while self._files:
            self._files.pop().close()

    def use(self, section: LogSection) -> None:
        """Take another section into use at once, and open the files anew: they may have been renamed."""
        self._section = section
        self._wanted.setLogLevelForNamespace("", LogLevel.lookupByName(section.level))
        for file in self._files:
            file.rotateLength, file.maxRotatedFiles = section.rotate_b, section.kept_files
            file.reopen()

    def _add(
        self, name: str, predicate: LogLevelFilterPredicate, line: Callable[[LogEvent], str | None]
    ) -> None:
        section = self._section
        file = LogFile(
            name, str(self._folder), rotateLength=section.rotate_b, maxRotatedFiles=section.kept_files
        )
        self._files.append(file)
        writer = FileLogObserver(file, line)  # type: ignore[arg-type]  # all it needs is write and flush
        observer = FilteringLogObserver(writer, [predicate])
        self._observers.append(observer)
        self._publisher.addObserver(observer)

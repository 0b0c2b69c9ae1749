"""A daemon's log in its state folder, besides what ``twistd`` writes."""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import Service
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    globalLogPublisher,
    textFileLogObserver,
)
from twisted.python.logfile import LogFile

_ROTATE_B = 50 * 1024 * 1024
_KEPT_FILES = 10


class LogFiles(Service):
    """Writes ``info.log`` (everything from info on) and ``error.log`` (from errors on) while it runs.

    Files are renamed at 50 MB and ten old ones are kept of each.
    """

    def __init__(self, folder: Path, publisher: LogPublisher = globalLogPublisher) -> None:
        self._folder, self._publisher = folder, publisher
        self._observers: list[ILogObserver] = []
        self._files: list[LogFile] = []

    def startService(self) -> None:
        super().startService()
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        for name, level in (("info.log", LogLevel.info), ("error.log", LogLevel.error)):
            file = LogFile(name, str(self._folder), rotateLength=_ROTATE_B, maxRotatedFiles=_KEPT_FILES)
            self._files.append(file)
            predicate = LogLevelFilterPredicate(defaultLogLevel=level)
            writer = textFileLogObserver(file)  # type: ignore[arg-type]  # all it needs is write and flush
            observer = FilteringLogObserver(writer, [predicate])
            self._observers.append(observer)
            self._publisher.addObserver(observer)

    def stopService(self) -> None:
        super().stopService()
        while self._observers:
            self._publisher.removeObserver(self._observers.pop())
        while self._files:
            self._files.pop().close()

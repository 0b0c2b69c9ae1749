"""Takes a new web certificate into use when its files change, without a restart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.http.tls import BadCertificateError, WebTls
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import TaskService

Stamps = tuple[tuple[int, int] | None, ...]


class CertificateWatch(TaskService):
    """Looks at the files every ``interval_s`` seconds while it runs.

    Files that do not fit together (one of them is still being written) are tried again at each look; the
    certificate in use stays until then.
    """

    _log = Logger()

    def __init__(
        self,
        tls: WebTls,
        files: Sequence[Path],
        *,
        clock: IReactorTime,
        blocking: Blocking,
        interval_s: float = 10.0,
    ) -> None:
        super().__init__()
        self._tls, self._files = tls, tuple(files)
        self._clock, self._blocking, self._interval_s = clock, blocking, interval_s

    def startService(self) -> None:
        super().startService()
        self.spawn("watch the web certificate", self._watch())

    async def _watch(self) -> None:
        used = await self._blocking.run(self._stamps)
        while True:
            await sleep(self._clock, self._interval_s)
            found = await self._blocking.run(self._stamps)
            if found != used and self._reload():
                used = found

    def _reload(self) -> bool:
        try:
            self._tls.reload()
        except BadCertificateError as error:
            self._log.warn("the new web certificate is not used: {error}", error=error)
            return False
        return True

    def _stamps(self) -> Stamps:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino

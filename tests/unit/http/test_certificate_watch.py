"""New web certificates are taken into use without a restart."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from cluster_worker.http.certificate_watch import CertificateWatch
from cluster_worker.http.tls import WebTls
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from cluster_worker.wire.certificates import Authority, save_issued


def issue(folder: Path) -> tuple[Path, Path]:
    authority = Authority.make("test", system_wall_clock())
    save_issued(authority.issue_web(["localhost"], system_wall_clock()), folder, "web")
    return folder / "web_cert.pem", folder / "web_key.pem"


@ensureDeferred
async def test_changed_certificate_is_used_at_the_next_look(tmp_path: Path) -> None:
    clock = Clock()
    cert, key = issue(tmp_path / "used")
    tls = WebTls(cert, key)
    watch = CertificateWatch(tls, (cert, key), clock=clock, blocking=Inline())
    watch.startService()
    before = tls.serverConnectionForTLS(None).get_context()
    clock.advance(10.0)
    assert tls.serverConnectionForTLS(None).get_context() is before

    new_cert, new_key = issue(tmp_path / "new")
    os.replace(new_cert, cert)
    with capturedLogs() as logs:
        clock.advance(10.0)
    assert [log for log in logs if "is not used" in log["log_format"]]
    assert tls.serverConnectionForTLS(None).get_context() is before

    os.replace(new_key, key)
    clock.advance(10.0)
    assert tls.serverConnectionForTLS(None).get_context() is not before
    key.unlink()
    await watch.stopService()
    assert clock.getDelayedCalls() == []

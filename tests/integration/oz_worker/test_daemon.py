"""The whole daemon over TLS, as the command line makes it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import treq
from pytest_twisted import ensureDeferred
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool

from cluster_worker.http.tls import WebListener
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.clock import sleep, system_wall_clock
from oz_worker import tap
from oz_worker.app import make_oz_worker
from oz_worker.config import OzWorkerConfig, WebSection

CLOCK = IReactorTime(reactor)


def daemon(folder: Path, port: int = 0) -> Any:
    folder.mkdir(exist_ok=True)
    config = OzWorkerConfig(
        state_dir=str(folder),
        redis=RedisConfig(url="memory:"),
        http=WebSection(address="127.0.0.1", port=port),
        stop_timeout_s=0.5,
    )
    return make_oz_worker(reactor, config, system_wall_clock)


def listener_of(service: Any) -> WebListener | None:
    for child in service:
        if isinstance(child, WebListener):
            return child
        found = listener_of(child) if hasattr(child, "__iter__") else None
        if found is not None:
            return found
    return None


async def listening(service: Any) -> WebListener:
    for _ in range(500):
        found = listener_of(service)
        if found is not None and found.running:
            return found
        await sleep(CLOCK, 0.02)
    raise AssertionError("the daemon does not listen")


def client_trusting(folder: Path) -> Any:
    authority = Certificate.loadPEM((folder / "web" / "ca.pem").read_bytes())
    policy = BrowserLikePolicyForHTTPS(trustRootFromCertificates([authority]))
    pool = HTTPConnectionPool(reactor, persistent=False)
    return treq.client.HTTPClient(Agent(reactor, policy, pool=pool))


@ensureDeferred
async def test_first_start_makes_certificate_and_administrator(tmp_path: Path) -> None:
    service = daemon(tmp_path)
    service.startService()
    listener = await listening(service)
    http, root = client_trusting(tmp_path), f"https://localhost:{listener.port}"
    page = await (await http.get(f"{root}/nagios")).text()
    assert '<https_listener status="ok"/>' in page
    password = tmp_path / "admin_password"
    assert password.stat().st_mode & 0o777 == 0o600
    answer = await http.get(f"{root}/api/v3/onezone/user", auth=("admin", password.read_text().strip()))
    assert (await answer.json())["username"] == "admin"
    assert (await http.get(f"{root}/no/such/place")).code == 404
    await service.stopService()
    with pytest.raises((ConnectionError, ssl.SSLError, OSError)):
        socket.create_connection(("127.0.0.1", listener.port), 1).close()


@ensureDeferred
async def test_daemon_waits_for_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        service = daemon(tmp_path, taken.getsockname()[1])
        service.startService()
        await sleep(CLOCK, 0.3)
        assert listener_of(service) is None
    await listening(service)
    await service.stopService()


def test_command_line_reports_every_problem_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "oz.toml").write_text("[zone]\ndomian = 'x'\n[http]\nport = 99999\n")
    with pytest.raises(SystemExit):
        tap.makeService(options_for(tmp_path / "oz.toml"))
    printed = capsys.readouterr().err
    assert "zone.domian" in printed
    assert "http.port" in printed


def test_second_daemon_on_the_same_state_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "oz.toml").write_text(f"state_dir = '{tmp_path}/state'\n[redis]\nurl = 'memory:'\n")
    first = tap.makeService(options_for(tmp_path / "oz.toml"))
    assert IService.providedBy(first)
    with pytest.raises(SystemExit):
        tap.makeService(options_for(tmp_path / "oz.toml"))
    assert "another daemon" in capsys.readouterr().err


def options_for(file: Path) -> tap.Options:
    """The command line with a configuration file."""
    options = tap.Options()
    options.parseOptions(["--config", str(file)])
    return options

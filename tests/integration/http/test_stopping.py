"""A stop that nobody with a retrying client notices."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest
from klein import Klein
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.runtime.clock import sleep
from tests.integration.http.conftest import Serve

GET = b"GET /gated HTTP/1.1\r\nHost: x\r\n\r\n"
CLOCK = IReactorTime(reactor)


class Door:
    app = Klein()

    def __init__(self) -> None:
        self.resource = door_resource(self.app, self)
        self.gate: Deferred[None] = Deferred()
        self.asked = 0

    @app.route("/hello", methods=["GET"])
    async def hello(self, request: StreamingRequest) -> bytes:
        return b"hello"

    @app.route("/gated", methods=["GET"])
    async def gated(self, request: StreamingRequest) -> bytes:
        self.asked += 1
        await self.gate
        return b"opened"


@ensureDeferred
async def test_a_request_that_waits_on_an_idle_connection_at_the_stop_is_served(serve: Serve) -> None:
    served = await serve(Door().resource, grace_s=2.0)
    with socket.create_connection(("127.0.0.1", served.listener.port)) as client:
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        await sleep(CLOCK, 0.05)
        assert client.recv(1000).endswith(b"hello")
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")  # the reactor has not looked yet
        await served.listener.stopService()
        answer = client.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"hello")
    assert b"\r\nConnection: close\r\n" in answer


@ensureDeferred
async def test_a_client_that_connected_just_before_the_stop_is_served(serve: Serve) -> None:
    served = await serve(Door().resource, grace_s=2.0)
    with socket.create_connection(("127.0.0.1", served.listener.port)) as client:  # not accepted yet
        stopped = served.listener.stopService()
        await sleep(CLOCK, 0.05)
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        await sleep(CLOCK, 0.05)
        answer = client.recv(1000)
        await stopped
    assert answer.endswith(b"hello") and b"\r\nConnection: close\r\n" in answer


@ensureDeferred
async def test_a_client_that_connects_and_says_nothing_does_not_hold_up_the_stop(serve: Serve) -> None:
    served = await serve(Door().resource, grace_s=10.0)
    await served.connect()
    await served.listener.stopService().addTimeout(4, reactor)


@ensureDeferred
async def test_open_requests_are_answered_and_new_connections_refused(serve: Serve) -> None:
    door = Door()
    served = await serve(door.resource, grace_s=5.0)
    client = await served.connect()
    client.send(GET)
    while not door.asked:
        await sleep(CLOCK, 0.01)
    stopped = served.listener.stopService()
    await sleep(CLOCK, 0.05)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", served.listener.port)) != 0
    door.gate.callback(None)
    answer = await client.read_answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    await stopped


@pytest.mark.slow
@ensureDeferred
async def test_a_retrying_client_does_not_notice_that_a_server_is_replaced(serve: Serve) -> None:
    """Requests without pause from several threads; the server stops and another takes its port."""
    served = await serve(Door().resource, grace_s=5.0)
    port = served.listener.port
    client = subprocess.Popen([sys.executable, "-c", CLIENT, str(port)], stdout=subprocess.PIPE, text=True)
    await sleep(CLOCK, 1.0)
    for _ in range(3):
        await served.listener.stopService()
        await sleep(CLOCK, 0.1)
        served.listener.startService()
        await sleep(CLOCK, 0.4)
    told = await _output(client)
    assert int(told) > 100, told


async def _output(client: subprocess.Popen[str]) -> Any:
    while client.poll() is None:
        await sleep(CLOCK, 0.05)
    assert client.stdout is not None
    assert client.returncode == 0
    return client.stdout.read()


CLIENT = """
import sys, threading, time
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

url, end, count = f"http://127.0.0.1:{sys.argv[1]}/hello", time.monotonic() + 3.5, []

def ask():
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(8, backoff_factor=0.05)))
    while time.monotonic() < end:
        assert session.get(url).text == "hello"
        count.append(1)

failed = []
threading.excepthook = lambda args: failed.append(args.exc_value)
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(count) if not failed else failed)
"""

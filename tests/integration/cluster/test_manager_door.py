"""The managers' HTTP doors and the operators' command, with real processes and a real terminal."""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pexpect
import pyte
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet.threads import deferToThread

from cluster_worker.node.cluster_node import ClusterNode
from tests.support.cluster import HOST, Cluster
from tests.support.manager_doors import command_line, door_of, operator_folder, run_command, status_of
from tests.support.managers import ROOT, Manager, Managers

A, B = "worker@a.test", "worker@b.test"


@async_yield_fixture
async def managers(cluster: Cluster) -> AsyncIterator[Managers]:
    made = Managers(cluster)
    yield made
    await made.stop()


async def ready_pair(managers: Managers, count: int = 1) -> None:
    """Managers and two workers that serve."""
    for number in range(count):
        await managers.add(f"cm{number}")
    for node in [managers.node(name) for name in (A, B)]:
        await node.when_ready()


async def asked(managers: Managers, manager: Manager, method: str, path: str, name: str = "") -> Any:
    """Status and body of an answer to somebody with a certificate of this name, or with none."""
    context = ssl.create_default_context(cafile=str(managers.cluster.directory / "ca" / "ca.pem"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if name:
        folder = operator_folder(managers, name)
        context.load_cert_chain(folder / "node_cert.pem", folder / "node_key.pem")

    def ask() -> tuple[int, bytes]:
        connection = HTTPSConnection(HOST, manager.door_port, context=context, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()

    return await deferToThread(ask)


@ensureDeferred
async def test_leader_tells_of_its_nodes_and_every_page_answers(managers: Managers) -> None:
    await ready_pair(managers)
    (manager,) = managers.all
    status, body = await asked(managers, manager, "GET", "/status")
    told = json.loads(body)
    assert status == 200 and told["manager"]["role"] == "leader" and told["cluster"]["phase"] == "ready"
    assert told["leader"]["url"] == door_of(manager)
    assert [(node["name"], node["state"], node["slots"]) for node in told["nodes"]] == [
        (A, "serving", 8192),
        (B, "serving", 8192),
    ]
    assert sorted(role for node in told["nodes"] for role in node["roles"]) == ["upgrade"]
    pages = {path: await asked(managers, manager, "GET", path) for path in ("/nagios", "/metrics", "/health")}
    assert {path: answer[0] for path, answer in pages.items()} == dict.fromkeys(pages, 200)
    assert pages["/nagios"][1].startswith(b'<?xml version="1.0"?><healthdata')
    assert b"onedata_manager_is_leader 1.0" in pages["/metrics"][1]
    assert (await asked(managers, manager, "GET", "/health/ready"))[0] == 200


@ensureDeferred
async def test_only_operators_act_and_refusals_are_typed(managers: Managers) -> None:
    await ready_pair(managers)
    (manager,) = managers.all

    async def error(path: str, name: str) -> tuple[int, str]:
        status, body = await asked(managers, manager, "POST", path, name)
        return status, json.loads(body)["error"]["id"]

    assert await error(f"/nodes/{A}/drain", "") == (401, "unauthorized")
    assert await error(f"/nodes/{A}/drain", "worker@c.test") == (403, "forbidden")
    assert await error("/nodes/worker@x/drain", "operator@d.test") == (404, "noSuchNode")
    status, body = await asked(managers, manager, "POST", f"/nodes/{A}/drain", "operator@d.test")
    assert (status, json.loads(body)) == (202, {"name": A, "state": "draining"})
    assert await error(f"/nodes/{B}/drain", "operator@d.test") == (409, "lastNode")


@ensureDeferred
async def test_command_drains_a_node_and_takes_it_back(managers: Managers) -> None:
    await ready_pair(managers)
    out, err, code = await run_command(managers, "drain", A, "--wait", "--timeout", "20")
    assert (code, err) == (0, "") and out.startswith(f"{A}: draining\n{A}: draining, 0 slots")
    told = await status_of(managers)
    assert [(node["state"], node["slots"], node["share"]) for node in told["nodes"]] == [
        ("draining", 0, 0.0),
        ("serving", 16384, 1.0),
    ]
    _, err, code = await run_command(managers, "drain", B)
    assert code == 1 and "No other node" in err
    assert (await run_command(managers, "undrain", A, "--wait"))[2] == 0
    out, _, code = await run_command(managers, "status")
    assert code == 0 and re.search(rf"^{A} serving cpu=\d+%.* slots=8192 clients=\d+%", out, re.MULTILINE)


@ensureDeferred
async def test_command_waits_until_a_node_has_left(managers: Managers) -> None:
    await managers.add("cm0")
    leaving: list[ClusterNode] = []

    def leave() -> None:
        leaving[0].disownServiceParent()

    leaving += [managers.node(A, leave=leave), managers.node(B)]
    for node in leaving:
        await node.when_ready()
    out, err, code = await run_command(managers, "leave", A, "--wait", "--timeout", "20")
    assert (code, err) == (0, "") and out.endswith(f"{A}: no member of the cluster any more\n")
    assert [node["name"] for node in (await status_of(managers))["nodes"]] == [B]


@ensureDeferred
async def test_command_follows_from_a_standby_to_the_leader(managers: Managers) -> None:
    await ready_pair(managers, count=2)
    leading, (standby,) = await managers.leading()
    told = await status_of(managers, [standby])
    assert told["manager"]["name"] == f"{leading.name}@{HOST}" and told["cluster"]["phase"] == "ready"
    out, _, code = await run_command(managers, "drain", A, asked=[standby])
    assert (out, code) == (f"{A}: draining\n", 0)
    _, body = await asked(managers, standby, "GET", "/status")
    seen = json.loads(body)
    assert (seen["manager"]["role"], seen["leader"]["url"]) == ("standby", door_of(leading))
    _, body = await asked(managers, standby, "POST", f"/nodes/{A}/undrain", "operator@d.test")
    assert json.loads(body)["error"] | {"description": ""} == {
        "id": "notLeader",
        "description": "",
        "details": {"leader": door_of(leading)},
    }
    assert (await asked(managers, standby, "GET", "/nagios"))[0] == 500


@ensureDeferred
async def test_command_says_when_nobody_can_be_asked(managers: Managers) -> None:
    managers.all.append(Manager("cm0", 1, 1, Path(), None))  # type: ignore[arg-type]  # never started
    out, err, code = await run_command(managers, "status")
    managers.all.clear()
    assert (out, code) == ("", 3) and err.startswith("no manager leads: https://127.0.0.1:1: ")


@ensureDeferred
async def test_terminal_shows_a_table_that_follows_the_cluster_until_ctrl_c(managers: Managers) -> None:
    await ready_pair(managers)
    words = command_line(managers, "status", "--watch", "--interval", "0.2")
    environment: Any = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "", "LINES": ""}
    environment = {name: value for name, value in environment.items() if value}
    screen = pyte.Screen(120, 30)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(sys.executable, words, env=environment, dimensions=(30, 120))

    def shown(*patterns: str) -> None:
        """Return when the screen has a line for each pattern, in their order."""
        for _ in range(300):
            try:
                stream.feed(child.read_nonblocking(65536, timeout=0.1))
            except pexpect.TIMEOUT:
                continue
            if re.search(r"\s*\n(?:.*\n)*?".join(patterns), "\n".join(screen.display)):
                return
        raise AssertionError("\n".join(screen.display))

    head = (
        r"cluster ready, epoch [\d.]+, boot [\d.]+, 2 nodes",
        rf"leader cm0@{HOST} {door_of(managers.all[0])}",
        "Node +State +cpu +mem +net +Heard +Slots +Clients +Queues +Roles",
    )
    figures = r"(\d+%|-) +(\d+%|-) +(\d+%|-) +([\d.]+s|-)"
    both = [rf"{node} +serving +{figures} +8192 +\d+% .*" for node in (A, B)]
    await deferToThread(shown, *head, *both)
    await run_command(managers, "drain", B)
    await deferToThread(shown, *head, rf"{A} +serving .* 16384 +100% .*", rf"{B} +draining .* 0 +0% .*")
    child.sendintr()
    await deferToThread(child.expect, pexpect.EOF)
    await deferToThread(child.close)
    assert child.exitstatus == 130

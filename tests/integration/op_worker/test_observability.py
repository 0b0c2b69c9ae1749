"""What a running provider tells of itself, against what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from attrs import evolve
from pytest_twisted import ensureDeferred

from op_worker.config import LocalSection, LocalSpace, LocalUser
from tests.integration.op_worker.running import Client, World
from tests.support.exposition import families_of

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"


async def provider(world: World) -> Client:
    """A provider with a local user and a space; the user's client."""
    (world.folder / "data").mkdir()
    space = LocalSpace(name="Lab", owner="anna", storage=str(world.folder / "data"))
    local = LocalSection(users={"anna": LocalUser()}, spaces={"lab": space})
    await world.start_provider(world.provider_config(local=local))
    token = (world.folder / "provider" / "tokens" / "anna").read_text().strip()
    return world.provider_client().with_token(token)


def documented() -> dict[str, str]:
    """Name → type of every metric in the table of the page."""
    rows = re.findall(r"^\| `(onedata_\w+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def samples(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


@ensureDeferred
async def test_the_page_lists_just_the_metrics_that_a_provider_tells(world: World) -> None:
    client = await provider(world)
    told = families_of((await client("GET", "/metrics")).content.decode())
    of_workers = {name: kind for name, kind in documented().items() if "_manager_" not in name}
    assert told == of_workers


@ensureDeferred
async def test_what_clients_do_is_counted(world: World) -> None:
    client = await provider(world)
    before = samples((await client("GET", "/metrics")).content.decode())
    body = bytes(100_000)
    assert (await client("PUT", "/cdmi/Lab/x", body, content_type="text/plain")).status == 201
    assert (await client("GET", "/cdmi/Lab/x")).content == body
    assert (await client("GET", "/cdmi/Lab/absent")).status == 404
    assert (await client("GET", "/nowhere")).status == 404
    text = (await client("GET", "/metrics")).content.decode()
    families_of(text)
    after = samples(text)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('onedata_http_requests_total{door="cdmi",method="PUT",status="2xx"}') == 1
    assert grown('onedata_http_requests_total{door="cdmi",method="GET",status="2xx"}') == 1
    assert grown('onedata_http_requests_total{door="cdmi",method="GET",status="4xx"}') == 1
    assert grown('onedata_http_requests_total{door="other",method="GET",status="4xx"}') == 1
    assert grown('onedata_http_received_bytes_total{door="cdmi"}') == len(body)
    assert grown('onedata_http_sent_bytes_total{door="cdmi"}') >= len(body)
    assert grown('onedata_storage_written_bytes_total{storage="local-lab"}') == len(body)
    assert grown('onedata_storage_read_bytes_total{storage="local-lab"}') == len(body)
    assert grown('onedata_store_request_seconds_count{operation="commit"}') >= 1
    assert grown('onedata_blocking_calls_total{pool="blocking"}') >= 2
    assert after["onedata_http_requests_in_flight"] == 1  # the one that asks
    assert after["onedata_node_ready"] == 1
    assert after["onedata_process_open_fds"] > 10
    assert after["onedata_reactor_lag_seconds_count"] >= 0


@ensureDeferred
async def test_a_request_is_found_by_its_id_in_answer_access_log_and_health(world: World) -> None:
    client = await provider(world)
    named = evolve(client, headers={**client.headers, "X-Request-Id": "find-me"})
    answer = await named("GET", "/health")
    assert (answer.status, answer.body) == (200, {"status": "healthy"})
    assert answer.headers.getRawHeaders("X-Request-Id") == ["find-me"]
    await world.stop("provider")
    log = world.folder / "provider" / "log"
    (line,) = [line for line in (log / "access.log").read_text().splitlines() if "find-me" in line]
    assert line.split()[3:6] == ["GET", "/health", "200"]
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in (log / "op_worker.json").read_text().splitlines()
    ]
    assert any("serving HTTPS" in line["message"] for line in lines)
    assert {line["node"] for line in lines} == {"worker@127.0.0.1"}

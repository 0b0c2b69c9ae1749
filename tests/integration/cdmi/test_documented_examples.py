"""The documented examples, page by page, sent and compared in their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from tests.integration.cdmi.client import Client
from tests.support.documented_examples import PAGES, PAUSE_S, check, examples, is_as_shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@ensureDeferred
async def test_every_example_is_answered_as_the_page_shows(client: Client, page: Path) -> None:
    client.token = None
    for asked, shown in examples(page):
        method, path = asked.line.split(" ")
        headers = {name: value.replace("TOKEN", "owner") for name, value in asked.headers.items()}
        reply = await client.send(method, path, asked.payload, headers)
        for _ in range(asked.tries - 1):
            if is_as_shown(asked, shown, reply):
                break
            await sleep(reactor, PAUSE_S)
            reply = await client.send(method, path, asked.payload, headers)
        check(asked, shown, reply)

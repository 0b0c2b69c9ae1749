"""The documented examples, page by page, sent and compared in their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client
from tests.support.documented_examples import PAGES, check, examples


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@ensureDeferred
async def test_every_example_is_answered_as_the_page_shows(client: Client, page: Path) -> None:
    client.token = None
    for asked, shown in examples(page):
        method, path = asked.line.split(" ")
        headers = {name: value.replace("TOKEN", "owner") for name, value in asked.headers.items()}
        check(asked, shown, await client.send(method, path, asked.payload, headers))

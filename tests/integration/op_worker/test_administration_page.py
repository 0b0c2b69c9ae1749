"""The examples of docs/administration.md are run, and every route of the door is among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen
from pytest_twisted import ensureDeferred

from op_worker.http.panel.checks import ChecksPanel
from op_worker.http.panel.draining import DrainingPanel
from op_worker.http.panel.jobs import JobsPanel
from op_worker.http.panel.mappings import MappingsPanel
from op_worker.http.panel.placements import PlacementsPanel
from op_worker.http.panel.provider import ProviderPanel
from op_worker.http.panel.spaces import SpacesPanel
from op_worker.http.panel.storages import StoragesPanel
from tests.integration.op_worker.running import World

PAGE = Path(__file__).parents[3] / "docs" / "administration.md"
DOOR = "/api/v3/onepanel"
NOTHING: Any = None
ROUTES = [
    *ProviderPanel(NOTHING).routes(),
    *StoragesPanel(NOTHING).routes(),
    *DrainingPanel(NOTHING, NOTHING).routes(),
    *MappingsPanel(NOTHING).routes(),
    *SpacesPanel(NOTHING, NOTHING, NOTHING).routes(),
    *PlacementsPanel(NOTHING, NOTHING).routes(),
    *ChecksPanel(NOTHING, NOTHING).routes(),
    *JobsPanel(NOTHING).routes(),
]
"""All that the page tells of; imports have a page of their own."""


@frozen
class Example:
    method: str
    path: str
    body: Any
    status: int
    answer: Any


def examples(world: World, words: dict[str, str]) -> Iterator[Example]:
    """Read the page, with its names replaced by those of the world."""
    for block in re.findall(r"```admin\n(.*?)```", PAGE.read_text(), re.DOTALL):
        lines = block.strip().split("\n")
        for asked, told in zip(lines[::2], lines[1::2], strict=True):
            method, path, *body = asked.split(" ", 2)
            status, *answer = told.split(" ", 1)
            sent = json.loads(_here(world, words, body[0])) if body else None
            expected = json.loads(_here(world, words, answer[0])) if answer else None
            yield Example(method, path, sent, int(status), expected)


def _here(world: World, words: dict[str, str], text: str) -> str:
    for name, value in words.items():
        text = text.replace(name, value)
    return text.replace("/mnt/", f"{world.folder}/")


def _leads_to(pattern: str, path: str) -> bool:
    parts = re.sub(r"<rest:\w+>", ".+", pattern)
    return re.fullmatch(re.sub(r"<\w+>", "[^/]+", parts), path) is not None


def has(answer: Any, expected: Any) -> bool:
    """Whether an answer has all members that are expected."""
    if isinstance(expected, dict):
        return all(key in answer and has(answer[key], value) for key, value in expected.items())
    return bool(answer == expected)


@ensureDeferred
async def test_examples_of_the_page_are_true(world: World) -> None:
    await world.start_zone()
    anna, _ = await world.user("anna")
    await world.start_provider()
    kind = {"inviteToken": {"inviteType": "registerOneprovider", "adminUserId": "anna"}}
    made = await anna("POST", "/api/v3/onezone/user/tokens/named", {"name": "registration", "type": kind})
    body = {"spaceId": "space1", "name": "Science", "creatorId": "anna", "users": [], "groups": []}
    assert (await world.zone_client()("POST", "/api/v3/onezone/dev/spaces", body)).status == 204
    support = [await anna("POST", "/api/v3/onezone/spaces/space1/providers/token") for _ in range(2)]
    words = {
        "REGISTRATION-TOKEN": made.body["token"],
        "DOMAIN": world.provider_domain,
        "SUPPORT-TOKEN": support[0].body["token"],
        "SECOND-TOKEN": support[1].body["token"],
    }
    for name in ("disk", "spare"):
        (world.folder / name).mkdir()
    shown = set()
    for example in examples(world, words):
        if "/spaces" in example.path:
            await world.until_connected()
        answer = await world.admin()(example.method, f"{DOOR}{example.path}", example.body)
        assert answer.status == example.status, (example, answer)
        if example.answer is not None:
            assert has(answer.body, example.answer), (example, answer)
        shown.add((example.method, example.path.partition("?")[0]))
    missing = [
        (route.method, route.path)
        for route in ROUTES
        if not any(method == route.method and _leads_to(route.path, path) for method, path in shown)
    ]
    assert missing == []

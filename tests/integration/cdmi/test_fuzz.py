"""Whatever is sent to any kind of resource: a documented answer, no bug, and no change by what was refused.

``CDMI_FUZZ_SITES`` is how many sites are tried, each with some dozen requests of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import define, frozen
from hypothesis import HealthCheck, given, seed, settings
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from op_worker.files.service import FileService
from op_worker.files.stored.documents import TIMES
from tests.integration.cdmi.client import Client
from tests.support.cdmi_requests import Asked, requests
from tests.support.raw_answers import RawAnswer, answers

pytestmark = pytest.mark.usefixtures("bugs")
SITES = int(os.environ.get("CDMI_FUZZ_SITES", "10"))
EXAMPLES = 80
TOO_SLOW = HealthCheck.too_slow
SUCCESSES = {200, 201, 202, 204, 206, 301, 302, 303, 304, 308}
REFUSALS = {400, 401, 403, 404, 405, 406, 408, 409, 411, 412, 413, 414, 415, 416, 417, 431}
WITHOUT_A_BODY = {405, 406, 414, 416, 417, 431}
SPACE = "/cdmi/Science/"
KINDS: Mapping[str, tuple[str, bytes]] = {
    "f": ("object", b'{"value": "text", "metadata": {"a": 1, "b": [2]}}'),
    "b": ("object", b'{"value": "AAEC", "valuetransferencoding": "base64", "mimetype": "image/png"}'),
    "d/": ("container", b'{"metadata": {"c": {}}}'),
    "d/inner": ("object", b'{"value": "x"}'),
    "q": ("queue", b'{"metadata": {"e": "f"}}'),
    "r": ("object", b'{"reference": "https://elsewhere.example/x"}'),
}
"""What there is at the beginning of each example, as far as this door can make it."""


@frozen
class Targets:
    """What requests are about."""

    paths: tuple[str, ...]
    ids: tuple[str, ...]


async def prepared(client: Client) -> Targets:
    """Make what is missing of every kind; return what there is."""
    first_use = {"Content-Type": "application/cdmi-object"}  # refused, and makes what spaces need for it
    await client.cdmi("POST", "/cdmi/cdmi_objectid/", b"{}", first_use, token="reader")
    paths, ids = ["/cdmi", SPACE.rstrip("/"), "/cdmi/cdmi_capabilities/container"], []
    for name, (kind, body) in KINDS.items():
        path = SPACE + name
        sent = {"Content-Type": f"application/cdmi-{kind}"}
        if (await client.cdmi("GET", path)).status == 404:
            await client.cdmi("PUT", path, body, sent)
        found = await client.cdmi("GET", path)
        if found.status in (200, 302):
            paths.append(path.rstrip("/"))
        if found.status == 200:
            ids.append(found.json["objectID"])
    await client.cdmi("PUT", SPACE + "d/", b'{"snapshot": "s"}')
    paths.append(SPACE + "d/cdmi_snapshots/s")
    for path in (SPACE, "/cdmi/cdmi_domains/", "/cdmi/cdmi_capabilities/"):
        found = await client.cdmi("GET", path + "?objectID")
        if found.status == 200:
            paths.append(path.rstrip("/"))
            ids.append(found.json["objectID"])
    return Targets(tuple(paths), tuple(ids))


def everything(files: FileService) -> object:
    """Return what the store holds, without times."""
    scopes = files._context.engine._scopes  # type: ignore[attr-defined]  # the one in memory, seen from inside
    return {
        scope: (
            {
                key: {field: document.data for field, document in fields.items() if field != TIMES}
                for key, fields in state.documents.items()
            },
            {key: dict(directory.values) for key, directory in state.directories.items()},
        )
        for scope, state in scopes.items()
    }


@pytest.mark.parametrize("site", range(SITES))
@ensureDeferred
async def test_any_request_is_answered_as_documented(client: Client, files: FileService, site: int) -> None:
    client.timeout_s = 10
    targets = await prepared(client)
    asker = Asker(client, files)

    @seed(site)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[TOO_SLOW])
    @given(requests(targets.paths, targets.ids))
    def ask(asked: Asked) -> None:
        wait_for: Any = blockingCallFromThread
        wait_for(reactor, lambda: Deferred.fromCoroutine(asker.ask(asked)))

    await deferToThread(ask)  # hypothesis wants functions that return when they are done


@define
class Asker:
    """Sends requests to one site, and makes what they took away again."""

    client: Client
    files: FileService
    is_changed: bool = False

    async def ask(self, asked: Asked) -> None:
        """Send a request and one more over the same connection; fail unless all is well."""
        if self.is_changed:
            await prepared(self.client)
        before = everything(self.files)
        again = Asked("GET", b"/cdmi/cdmi_capabilities/", {"X-CDMI-Specification-Version": b"1.1.1"}, b"")
        received = await self.client.raw(asked.raw(keep=True) + again.raw(keep=False))
        found = answers(received, [asked.method, again.method])
        first, *rest = [answer for answer in found if answer.status != 100]
        self.is_changed = first.status in SUCCESSES
        check(asked, first)
        if first.headers.get("connection", "").lower() != "close":
            assert [answer.status for answer in rest] == [200], "the connection was of no use any more"
        if first.status in REFUSALS:
            assert everything(self.files) == before, (asked, first)


def check(asked: Asked, answer: RawAnswer) -> None:
    """Fail unless an answer is one of those that are documented."""
    assert answer.status in SUCCESSES | REFUSALS, (asked, answer)
    if (
        answer.status >= 400
        and answer.status not in WITHOUT_A_BODY
        and asked.method != "HEAD"
        and answer.body
    ):
        assert answer.headers["content-type"] == "application/json"
        error = json.loads(answer.body)["error"]
        assert set(error) - {"details"} == {"id", "description"}, error
        assert error["id"] and error["description"] and "Traceback" not in str(error)
    if answer.status == 401:
        assert "www-authenticate" in answer.headers
    if answer.status == 405:
        assert answer.headers["allow"]
    if answer.status in (301, 302, 308):
        assert answer.headers["location"]

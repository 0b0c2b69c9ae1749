"""``Cache-Control: no-cache``: what a node keeps in memory is read anew before the request is looked at."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.clock import sleep
from op_worker.http.fresh_reads import Freshness, FreshReads
from tests.integration.http.conftest import Serve
from tests.integration.http.rest_client import BASE, RestClient, make_files, make_tree, make_zone


class Readings:
    """Counts readings and lets each one end when the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self.going_on: list[Deferred[None]] = []

    async def read(self) -> None:
        self.begun += 1
        ending: Deferred[None] = Deferred()
        self.going_on.append(ending)
        await ending

    def end(self, error: Exception | None = None) -> None:
        ending = self.going_on.pop(0)
        if error is None:
            ending.callback(None)
        else:
            ending.errback(error)


def asking(rest: RestClient, cache_control: str | None) -> Deferred[int]:
    headers = {"X-Auth-Token": "owner"}
    if cache_control is not None:
        headers["Cache-Control"] = cache_control

    async def ask() -> int:
        return (await rest.ask_anywhere("GET", f"{BASE}/spaces", headers)).status

    return Deferred.fromCoroutine(ask())


@pytest.mark.parametrize("error", [None, PersistenceUnavailable()])
@ensureDeferred
async def test_request_without_cache_waits_until_everything_was_read_anew(
    serve: Serve, error: Exception | None
) -> None:
    zone = make_zone()
    readings = Readings()
    freshness = Freshness([readings.read])
    freshness.startService()
    rest = RestClient(await serve(FreshReads(make_tree(await make_files(zone), zone), freshness)))
    fresh = asking(rest, "max-age=7, No-Cache")
    while not readings.begun:
        await sleep(reactor, 0.01)
    for cached in (None, "no-store", "max-age=60"):
        assert await asking(rest, cached) == 200
    assert not fresh.called
    readings.end(error)
    assert await fresh == 200
    assert readings.begun == 1
    await freshness.stopService()


@ensureDeferred
async def test_however_many_ask_one_reading_follows_the_one_that_goes_on() -> None:
    readings = Readings()
    freshness = Freshness([readings.read])
    freshness.startService()
    first = Deferred.fromCoroutine(freshness.require())
    others = [Deferred.fromCoroutine(freshness.require()) for _ in range(50)]
    readings.end()
    await first
    assert not any(each.called for each in others), "what they want may have changed after the reading began"
    readings.end()
    await gatherResults(others)
    assert readings.begun == 2
    await freshness.stopService()

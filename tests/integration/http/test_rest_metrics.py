"""Time series of spaces over the real door, in JSON and in XML."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define, evolve
from defusedxml.ElementTree import fromstring
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.persistence.engine import Scope
from cluster_worker.tenure.tenure import Tenure
from onedata.privileges import SPACE_ADMIN, SPACE_MEMBER
from op_worker.files.service import FileService
from op_worker.metrics.service import MetricsService, Ownership, make_metrics
from op_worker.zone.directory import StaticZone
from tests.integration.http.rest_client import (
    ELSEWHERE,
    MEMBER,
    OWNER,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    STRANGER,
    RestClient,
    make_files,
    make_tree,
    make_zone,
)

Serve = Any
BEGIN_S = 1_600_000_200


@define(eq=False)
class Site:
    """A door, and time in our hands."""

    rest: RestClient
    metrics: MetricsService
    zone: StaticZone
    files: FileService
    now_s: float = BEGIN_S

    async def sample(self) -> None:
        """Let five minutes pass."""
        self.now_s += 300
        await self.metrics.flushing.flush()
        tenure = Tenure(f"metrics:{SPACE}", "n", 1, self.files.context.engine)
        await self.metrics.keeping.sample(SPACE, await tenure.fence(Scope(SPACE)))

    async def walk(self) -> None:
        """Sum up what each user holds."""
        tenure = Tenure(f"metrics:{SPACE}", "n", 1, self.files.context.engine)
        walk = self.metrics.keeping.walk(await tenure.fence(Scope(SPACE)))
        while await walk.step():
            pass

    async def get(self, query: str, user: str = "", **options: Any) -> Any:
        return await self.rest.get(f"/metrics/space/{SPACE}{user}?{query}", **options)


@async_yield_fixture
async def site(serve: Serve) -> AsyncIterator[Site]:
    """A site whose space is supported by another provider too."""
    zone = make_zone()
    space = await zone.space(SPACE)
    assert space is not None
    zone.put_space(evolve(space, supports={**space.supports, ELSEWHERE: 1}))
    files = await make_files(zone)
    metrics = make_metrics(
        files.context.engine,
        files.context,
        zone.supported_spaces,
        Ownership(owner="n"),
        clock=reactor,
        wall_clock=lambda: made.now_s,
    )
    rest = RestClient(await serve(make_tree(files, zone, metrics=metrics.answers)))
    made = Site(rest, metrics, zone, files)
    files.startService()
    yield made
    await files.stopService()


@ensureDeferred
async def test_every_supporting_provider_is_listed_and_nothing_gathered_is_an_empty_rrd(site: Site) -> None:
    answer = await site.get("metric=storage_used")
    assert answer.status == 200
    assert answer.json == [{"providerId": PROVIDER, "rrd": ""}, {"providerId": ELSEWHERE, "rrd": ""}]


@ensureDeferred
async def test_what_is_read_and_written_is_told_like_an_export_of_a_round_robin_database(site: Site) -> None:
    await site.sample()
    file_id = await site.rest.create(f"/data/{SPACE_ROOT}/children?name=x", bytes(3000))
    assert len((await site.rest.get(f"/data/{file_id}/content")).body) == 3000
    await site.sample()
    (own, other) = (await site.get("metric=data_access")).json
    assert other == {"providerId": ELSEWHERE, "rrd": ""}
    rrd = own["rrd"]
    assert rrd["about"] == "RRDtool graph JSON output"
    start = f"space {SPACE}; metric data_access; oneprovider ID {PROVIDER}"
    assert rrd["meta"] == {
        "start": BEGIN_S + 600 - 86400,
        "end": BEGIN_S + 600,
        "step": 300,
        "legend": [f"{start}; data_access_read[bytes/s]", f"{start}; data_access_write[bytes/s]"],
    }
    assert len(rrd["data"]) == 288
    assert rrd["data"][-3:] == [[None, None], [0.0, 0.0], [10.0, 10.0]]
    (own, _) = (await site.get("metric=storage_used&step=5m")).json
    assert own["rrd"]["data"][-1] == [3000.0]
    assert own["rrd"]["meta"]["legend"] == [
        f"space {SPACE}; metric storage_used; oneprovider ID {PROVIDER}; storage_used[bytes]"
    ]


@ensureDeferred
async def test_the_same_of_one_user(site: Site) -> None:
    await site.sample()
    await site.rest.create(f"/data/{SPACE_ROOT}/children?name=x", bytes(3000))
    await site.sample()
    (own, _) = (await site.get("metric=data_access", f"/user/{OWNER}")).json
    assert own["rrd"]["data"][-1] == [0.0, 10.0]
    assert own["rrd"]["meta"]["legend"][0] == (
        f"space {SPACE}; metric data_access; user {OWNER}; oneprovider ID {PROVIDER};"
        " data_access_read[bytes/s]"
    )
    (own, _) = (await site.get("metric=data_access", f"/user/{MEMBER}")).json
    assert own["rrd"]["data"][-1] == [0.0, 0.0]
    assert (await site.get("metric=data_access", f"/user/{STRANGER}")).status == 404


@ensureDeferred
async def test_bytes_of_a_user_without_a_quota_are_told_after_the_space_was_walked(site: Site) -> None:
    await site.sample()
    await site.rest.create(f"/data/{SPACE_ROOT}/children?name=x", bytes(3000))
    await site.walk()
    await site.sample()
    (own, _) = (await site.get("metric=storage_used", f"/user/{OWNER}")).json
    assert own["rrd"]["data"][-2:] == [[None], [3000.0]]
    (own, _) = (await site.get("metric=storage_used", f"/user/{MEMBER}")).json
    assert own["rrd"]["data"][-2:] == [[None], [0.0]]
    assert (await site.get("metric=storage_used", f"/user/{STRANGER}")).status == 404


@ensureDeferred
async def test_xml_is_told_to_who_wants_it(site: Site) -> None:
    await site.sample()
    answer = await site.get("metric=storage_quota&step=1h", Accept="application/xml")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/xml"
    root = fromstring(answer.body)
    assert [one.get("id") for one in root] == [PROVIDER, ELSEWHERE]
    (xport,) = root[0]
    assert [one.tag for one in xport] == ["meta", "data"]
    assert xport.findtext("meta/rows") == "168"
    assert xport.findtext("meta/legend/entry").endswith("storage_quota[bytes]")
    rows = xport.findall("data/row")
    assert len(rows) == 168
    assert int(rows[-1].findtext("t")) == int(xport.findtext("meta/end"))
    assert rows[0].findtext("v") == "NaN"
    assert len(root[1]) == 0
    assert (await site.get("metric=storage_quota", Accept="text/csv")).status == 406


@pytest.mark.parametrize(
    ("query", "user", "error"),
    [
        ("metric=nothing", "", "badValueNotAllowed"),
        ("metric=storage_used&step=2m", "", "badValueNotAllowed"),
        ("metric=connected_users", f"/user/{OWNER}", "badValueNotAllowed"),
        ("step=5m", "", "missingRequiredValue"),
    ],
)
@ensureDeferred
async def test_unknown_metrics_and_steps_are_refused(site: Site, query: str, user: str, error: str) -> None:
    answer = await site.get(query, user)
    assert (answer.status, answer.error["id"]) == (400, error)


@ensureDeferred
async def test_statistics_need_the_privilege_to_view_them(site: Site) -> None:
    space = await site.zone.space(SPACE)
    assert space is not None
    without = SPACE_MEMBER - {"space_view_statistics"}
    site.zone.put_space(evolve(space, user_privileges={OWNER: SPACE_ADMIN, MEMBER: without}))
    assert (await site.get("metric=storage_used", token="member")).status == 403
    assert (await site.get("metric=storage_used", f"/user/{MEMBER}", token="member")).status == 403
    assert (await site.get("metric=storage_used", token="stranger")).status == 403
    assert (await site.get("metric=storage_used", token=None)).status == 401
    both = without | {"space_view_statistics"}
    site.zone.put_space(evolve(space, user_privileges={OWNER: SPACE_ADMIN, MEMBER: both}))
    assert (await site.get("metric=storage_used", token="member")).status == 200


@ensureDeferred
async def test_writes_inside_a_file_and_at_its_end_count_too(site: Site) -> None:
    await site.sample()
    file_id = await site.rest.create(f"/data/{SPACE_ROOT}/children?name=x", bytes(300))
    assert (await site.rest.put(f"/data/{file_id}/content?offset=10", body=bytes(600))).status == 204
    assert (await site.rest.put(f"/data/{file_id}/content?append=true", body=bytes(900))).status == 204
    await site.sample()
    (own, _) = (await site.get("metric=data_access")).json
    assert own["rrd"]["data"][-1] == [0.0, 6.0]
    (own, _) = (await site.get("metric=block_access")).json
    assert own["rrd"]["data"][-1] == pytest.approx([0.0, 3 / 300])

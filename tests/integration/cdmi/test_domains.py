"""Domains over the door: spaces, their members, summaries of their use."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from attrs import evolve
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from onedata.errors import DirStatsNotReady
from onedata.ids import GroupId, space_root_guid
from onedata.privileges import SPACE_MANAGER
from op_worker.auth.caller import Caller
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.requests.domain_ids import domain_object_id
from op_worker.statistics.service import Span, StatisticsService
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import UserInfo
from tests.integration.cdmi.callers import MEMBER, OTHER, OWNER, SPACE, STRANGER
from tests.integration.cdmi.client import Client, Reply

ROOT = "/cdmi/cdmi_domains/"
D = f"{ROOT}{SPACE}/"
MEMBERS, SUMMARY = D + "cdmi_domain_members/", D + "cdmi_domain_summary/"
GROUP = GroupId("9" * 32)


def give_group(files: FileService) -> None:
    """Make the member one of a group of the space, who may see the privileges of others."""
    zone = cast(StaticZone, files.context.access.zone)
    space = zone._spaces[SPACE]
    privileges = {**space.user_privileges, MEMBER: SPACE_MANAGER}
    zone.put_space(evolve(space, groups={GROUP: "Readers"}, user_privileges=privileges))
    user = UserInfo(user_id=MEMBER, full_name="Bea", spaces=(SPACE, OTHER), groups=frozenset({GROUP}))
    zone.put_user(user)


@pytest.mark.capability("system/cdmi_domains", "domain/cdmi_list_children", "domain/cdmi_read_metadata")
@ensureDeferred
async def test_the_spaces_of_a_caller_are_his_domains(client: Client) -> None:
    root = await client.cdmi("GET", ROOT)
    assert (root.status, root.headers["content-type"]) == (200, "application/cdmi-domain")
    assert (root.json["objectName"], root.json["children"]) == ("cdmi_domains/", [f"{SPACE}/", f"{OTHER}/"])
    assert (root.json["childrenrange"], root.json["domainURI"]) == ("0-1", "/cdmi_domains/")
    domain = (await client.cdmi("GET", D)).json
    assert domain["metadata"] == {"cdmi_domain_enabled": "true", "onedata_space_name": "Science"}
    assert domain["children"] == ["cdmi_domain_members/", "cdmi_domain_summary/"]
    assert (domain["parentURI"], domain["parentID"]) == ("/cdmi_domains/", root.json["objectID"])
    assert domain["capabilitiesURI"] == "cdmi_capabilities/domain/"
    assert (await client.cdmi("GET", ROOT, token="stranger")).json["children"] == []


@ensureDeferred
async def test_a_domain_is_found_by_id_name_both_and_object_id(client: Client) -> None:
    domain = (await client.cdmi("GET", D)).json
    object_id = domain["objectID"]
    for name in ("Science", f"Science@{SPACE}"):
        assert (await client.cdmi("GET", f"{ROOT}{name}/")).json == domain
    for by_id in (object_id, object_id.lower()):
        assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{by_id}/")).json == domain
    below = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{object_id}/cdmi_domain_members/?objectName")
    assert below.json == {"objectName": "cdmi_domain_members/"}
    led = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{object_id}?metadata")
    assert (led.status, led.headers["location"]) == (301, f"http://localhost{D}?metadata")


@pytest.mark.capability("domain/cdmi_list_children_range")
@ensureDeferred
async def test_members_and_slices_of_domains_are_selected(client: Client) -> None:
    found = await client.cdmi("GET", ROOT + "?children:1-1;childrenrange")
    assert found.json == {"childrenrange": "1-1", "children": [f"{OTHER}/"]}
    found = await client.cdmi("GET", D + "?metadata:cdmi_;objectName")
    assert found.json == {"objectName": f"{SPACE}/", "metadata": {"cdmi_domain_enabled": "true"}}
    beyond = await client.cdmi("GET", ROOT + "?children:0-2")
    assert (beyond.status, beyond.error_id) == (400, "badData")
    head = await client.cdmi("HEAD", ROOT)
    assert (head.status, head.headers["content-type"], head.body) == (200, "application/cdmi-domain", b"")


@ensureDeferred
async def test_domains_are_negotiated_like_containers(client: Client) -> None:
    unversioned = await client.send("GET", ROOT)
    assert (unversioned.status, unversioned.error_id) == (400, "missingRequiredValue")
    assert (await client.cdmi("GET", ROOT, headers={"Accept": "application/cdmi-domain+json"})).status == 200
    for path, accept in (
        (ROOT, "application/cdmi-container"),
        (D, "image/png"),
        (MEMBERS, "application/cdmi-domain"),
        (MEMBERS + OWNER, "application/cdmi-domain"),
    ):
        assert (await client.cdmi("GET", path, headers={"Accept": accept})).status == 406
    for path, right in ((ROOT[:-1], ROOT), (D[:-1], D), (MEMBERS + OWNER + "/", MEMBERS + OWNER)):
        led = await client.cdmi("GET", path)
        assert (led.status, led.headers["location"]) == (301, f"http://localhost{right}")
    client.token = None
    assert (await client.cdmi("GET", ROOT)).status == 401


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOT}none/",
        f"{ROOT}{'9' * 32}/",
        D + "x/",
        "/cdmi/cdmi_objectid/" + domain_object_id((SPACE, "x")) + "/",
        "/cdmi/cdmi_objectid/" + domain_object_id(("", "x")) + "/",
        MEMBERS + STRANGER,
        MEMBERS + OWNER + "x",
        MEMBERS + "a/b",
        SUMMARY + "cumulative",
        SUMMARY + "daily/2026-01-01",
    ],
)
@ensureDeferred
async def test_what_is_in_no_domain_is_not_found(client: Client, path: str) -> None:
    for token in ("owner", "stranger"):
        assert (await client.cdmi("GET", path, token=token)).status == 404


@ensureDeferred
async def test_domains_are_made_changed_and_removed_in_onezone_only(client: Client) -> None:
    domain = {"Content-Type": "application/cdmi-domain"}
    for path in (ROOT + "new/", D, D + "sub/", MEMBERS + "new", ROOT + "new"):
        for headers in (domain, {}):
            refused = await client.cdmi("PUT", path, {"metadata": {}}, headers)
            assert (refused.status, refused.error_id) == (400, "notSupported")
        refused = await client.cdmi("DELETE", path)
        assert (refused.status, refused.error_id) == (400, "notSupported")
    posted = await client.send("POST", ROOT, b"", {"Content-Length": "0"})
    assert (posted.status, posted.error_id) == (400, "notSupported")
    assert (await client.send("OPTIONS", D)).headers["allow"] == "GET, HEAD, OPTIONS"
    elsewhere = await client.cdmi("PUT", "/cdmi/Science/d/", {}, domain)
    assert elsewhere.status == 400


def value_of(reply: Reply) -> Any:
    assert reply.status == 200, reply
    return json.loads(reply.json["value"])


@pytest.mark.capability("domain/cdmi_domain_members")
@ensureDeferred
async def test_users_and_groups_of_a_space_are_members(client: Client, files: FileService) -> None:
    give_group(files)
    listed = (await client.cdmi("GET", MEMBERS)).json
    assert (listed["objectType"], listed["children"]) == (
        "application/cdmi-container",
        [GROUP, OWNER, MEMBER],
    )
    member = await client.cdmi("GET", MEMBERS + MEMBER)
    assert (member.json["objectType"], member.json["mimetype"]) == (
        "application/cdmi-object",
        "application/json",
    )
    assert value_of(member) == {
        "cdmi_member_enabled": "true",
        "cdmi_member_type": "user",
        "cdmi_member_name": "Bea",
        "cdmi_member_principal": MEMBER,
        "cdmi_member_privileges": [],
        "cdmi_member_groups": [GROUP],
    }
    owner = value_of(await client.cdmi("GET", MEMBERS + OWNER, token="member"))
    assert owner["cdmi_member_privileges"] == ["administrator", "backup_operator"]
    assert value_of(await client.cdmi("GET", MEMBERS + GROUP)) == {
        "cdmi_member_enabled": "true",
        "cdmi_member_type": "group",
        "cdmi_member_name": "Readers",
        "cdmi_member_principal": GROUP,
    }


@ensureDeferred
async def test_who_may_not_see_privileges_sees_his_own_alone(client: Client) -> None:
    assert "cdmi_member_privileges" not in value_of(await client.cdmi("GET", MEMBERS + OWNER, token="member"))
    own = value_of(await client.cdmi("GET", MEMBERS + MEMBER, token="member"))
    assert own["cdmi_member_privileges"] == []


@ensureDeferred
async def test_who_may_not_view_the_space_sees_no_members(client: Client, files: FileService) -> None:
    zone = cast(StaticZone, files.context.access.zone)
    space = zone._spaces[SPACE]
    privileges = {**space.user_privileges, MEMBER: frozenset({"space_read_data"})}
    zone.put_space(evolve(space, user_privileges=privileges))
    assert (await client.cdmi("GET", D, token="member")).json["children"] == ["cdmi_domain_summary/"]
    for path in (MEMBERS, MEMBERS + MEMBER):
        assert (await client.cdmi("GET", path, token="member")).status == 403
    for path in (MEMBERS, MEMBERS + OWNER):
        assert (await client.cdmi("GET", path, token="reader")).status == 403, "a token with data caveats"


@ensureDeferred
async def test_objects_of_domains_are_read_as_bytes_and_in_ranges(client: Client) -> None:
    whole = (await client.cdmi("GET", MEMBERS + OWNER)).json
    plain = await client.send("GET", MEMBERS + OWNER)
    assert (plain.status, plain.headers["content-type"]) == (200, "application/json")
    assert plain.body.decode() == whole["value"]
    part = (await client.cdmi("GET", MEMBERS + OWNER + "?value:0-1;valuetransferencoding")).json
    assert part == {"valuetransferencoding": "base64", "value": "eyI="}
    by_id = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{whole['objectID']}")
    assert by_id.json == whole


# -- summaries --------------------------------------------------------------------------------------


@async_yield_fixture
async def counted(files: FileService, statistics: StatisticsService) -> AsyncIterator[StatisticsService]:
    """Statistics that are kept of the space and complete."""
    owner = Caller(OWNER)
    await files.space_settings.change_settings(owner, SPACE, statistics=True)
    statistics.startService()
    for _ in range(200):
        try:
            await statistics.answers.layout(owner, Target(space_root_guid(SPACE)))
            break
        except DirStatsNotReady:
            await sleep(reactor, 0.02)
    yield statistics
    await statistics.stopService()


@ensureDeferred
async def test_without_statistics_there_is_no_summary(client: Client) -> None:
    assert (await client.cdmi("GET", SUMMARY + "?children;childrenrange")).json == {
        "childrenrange": "",
        "children": [],
    }
    for name in ("cumulative", "daily/", "daily/2026-01-01"):
        assert (await client.cdmi("GET", SUMMARY + name)).status == 404


@ensureDeferred
async def test_a_space_in_which_nothing_ever_was_used_nothing(
    client: Client, counted: StatisticsService
) -> None:
    value = value_of(await client.cdmi("GET", SUMMARY + "cumulative"))
    assert (value["cdmi_summary_objectsmax"], value["cdmi_summary_bytehours"]) == ("0", "0")


@pytest.mark.capability("domain/cdmi_domain_summary")
@ensureDeferred
async def test_summaries_agree_with_the_statistics_of_the_space(
    client: Client, counted: StatisticsService
) -> None:
    for name, size in (("a", 100), ("b", 23)):
        await client.cdmi("PUT", f"/cdmi/Science/{name}", {"value": "x" * size})
    await client.cdmi("DELETE", "/cdmi/Science/b")
    listed = (await client.cdmi("GET", SUMMARY)).json["children"]
    assert listed == ["cumulative", "daily/", "monthly/", "yearly/"]
    summary = value_of(await client.cdmi("GET", SUMMARY + "cumulative"))
    layout = {"reg_file_and_link_count": ["minute"], "logical_size": ["minute"]}
    found = await counted.answers.slice(Caller(OWNER), Target(space_root_guid(SPACE)), layout, Span())
    assert found["logical_size"]["minute"][0].value == 100
    for series, kind in (("reg_file_and_link_count", "objects"), ("logical_size", "bytes")):
        values = [one.value for one in found[series]["minute"]]
        assert summary[f"cdmi_summary_{kind}max"] == str(max(values))
        assert summary[f"cdmi_summary_{kind}min"] == str(min(values))
    assert summary["cdmi_domainURI"] == f"/cdmi_domains/{SPACE}/"
    assert summary["cdmi_summary_start"] <= summary["cdmi_summary_end"]
    names = {}
    for period in ("daily", "monthly", "yearly"):
        names[period] = (await client.cdmi("GET", f"{SUMMARY}{period}/?children")).json["children"][-1]
        value = value_of(await client.cdmi("GET", f"{SUMMARY}{period}/{names[period]}"))
        assert value["cdmi_summary_bytesmax"] == summary["cdmi_summary_bytesmax"]
    assert names["daily"].startswith(names["monthly"]) and names["monthly"].startswith(names["yearly"])
    for path in ("daily/2001-01-01", "daily/2999-01-01", "daily/x", "weekly/", "daily/2026-01-01/x"):
        assert (await client.cdmi("GET", SUMMARY + path)).status == 404

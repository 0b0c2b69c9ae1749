"""The domain of an object is its space: every object tells it, and no request can say another."""

from __future__ import annotations

import json

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.callers import OTHER, SPACE
from tests.integration.cdmi.client import Client

F, D = "/cdmi/Science/f.txt", "/cdmi/Science/d/"
HERE = f"/cdmi_domains/{SPACE}/"


@ensureDeferred
async def test_every_object_names_its_domain(client: Client) -> None:
    for path in (F, D, D + "deep/", D + "deep/f"):
        made = (await client.cdmi("PUT", path, {})).json
        read = (await client.cdmi("GET", path)).json
        assert made["domainURI"] == read["domainURI"] == HERE
        assert list(read).index("domainURI") == list(read).index("parentID") + 1
    by_id = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{made['objectID']}?domainURI")
    assert by_id.json == {"domainURI": HERE}
    assert (await client.cdmi("GET", "/cdmi/Other%20Space/?domainURI")).json == {
        "domainURI": f"/cdmi_domains/{OTHER}/"
    }
    assert (await client.cdmi("GET", "/cdmi/?domainURI")).json == {"domainURI": "/cdmi_domains/"}


@pytest.mark.parametrize(
    "uri",
    [
        HERE,
        HERE[:-1],
        HERE[1:],
        f"/cdmi{HERE}",
        f"http://localhost/cdmi{HERE}",
        "/cdmi_domains/Science/",
        f"/cdmi_domains/Science@{SPACE}/",
    ],
)
@ensureDeferred
async def test_the_domain_of_the_place_may_be_sent_in_every_form(client: Client, uri: str) -> None:
    for path in (F, D):
        assert (await client.cdmi("PUT", path, {"domainURI": uri})).status == 201
        assert (await client.cdmi("PUT", path, {"domainURI": uri})).status == 204


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        (f"/cdmi_domains/{OTHER}/", 400),
        ("/cdmi_domains/Other Space/", 400),
        ("/cdmi_domains/", 400),
        (HERE + "cdmi_domain_summary/", 400),
        ("/Science/", 400),
        ("", 400),
        ("http://elsewhere/cdmi/cdmi_domains/", 400),
        (7, 400),
        ("/cdmi_domains/none/", 403),
        (f"/cdmi_domains/{'9' * 32}/", 403),
    ],
)
@ensureDeferred
async def test_another_domain_is_refused_and_nothing_changes(
    client: Client, uri: str | int, status: int
) -> None:
    for path in (F, D):
        refused = await client.cdmi("PUT", path, {"domainURI": uri, "metadata": {"k": "v"}})
        assert refused.status == status
        if status == 400:
            assert refused.json["error"]["details"]["key"] == "domainURI"
        assert (await client.cdmi("GET", path)).status == 404
        await client.cdmi("PUT", path, {})
        assert (await client.cdmi("PUT", path, {"domainURI": uri, "metadata": {"k": "v"}})).status == status
        assert (await client.cdmi("GET", path + "?metadata:k")).json == {"metadata": {}}


@ensureDeferred
async def test_what_moves_to_another_space_changes_its_domain(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "v"})
    refused = await client.cdmi("PUT", "/cdmi/Other%20Space/f", {"move": "/Science/f.txt", "domainURI": HERE})
    assert refused.status == 400
    there = {"move": "/Science/f.txt", "domainURI": f"/cdmi_domains/{OTHER}/"}
    moved = await client.cdmi("PUT", "/cdmi/Other%20Space/f", there)
    assert (moved.status, moved.json["domainURI"]) == (201, f"/cdmi_domains/{OTHER}/")


@ensureDeferred
async def test_a_domain_behind_the_value_counts_like_one_before(client: Client) -> None:
    other = f"/cdmi_domains/{OTHER}/"
    for query, value in (("", "v"), ("?value:0-0", "dg==")):
        late = {"value": value, "domainURI": other}
        assert (await client.cdmi("PUT", F + query, late)).status == 400
        assert (await client.cdmi("GET", F)).status == 404
        await client.cdmi("PUT", F, {"value": "old"})
        assert (await client.cdmi("PUT", F + query, late)).status == 400
        assert (await client.send("GET", F)).body == b"old"
        assert (await client.cdmi("PUT", F + query, {"value": value, "domainURI": HERE})).status == 204
        await client.cdmi("DELETE", F)


@ensureDeferred
async def test_the_domain_says_where_an_object_without_a_name_goes(client: Client) -> None:
    post = {"Content-Type": "application/cdmi-object", "Content-Length": "0"}
    for domain in (SPACE, OTHER):
        body = json.dumps({"domainURI": f"/cdmi_domains/{domain}/", "value": "v"}).encode()
        made = await client.cdmi(
            "POST", "/cdmi/cdmi_objectid/", body, {**post, "Content-Length": str(len(body))}
        )
        assert (made.status, made.json["domainURI"]) == (201, f"/cdmi_domains/{domain}/")
    for uri, status in (("/cdmi_domains/", 400), ("/cdmi_domains/none/", 403)):
        body = json.dumps({"domainURI": uri}).encode()
        refused = await client.cdmi(
            "POST", "/cdmi/cdmi_objectid/", body, {**post, "Content-Length": str(len(body))}
        )
        assert refused.status == status


@ensureDeferred
async def test_what_is_posted_to_a_container_lies_in_its_domain(client: Client) -> None:
    for uri, status in ((HERE, 201), (f"/cdmi_domains/{OTHER}/", 400)):
        body = json.dumps({"domainURI": uri, "value": "v"}).encode()
        sent = {"Content-Type": "application/cdmi-object", "Content-Length": str(len(body))}
        assert (await client.cdmi("POST", "/cdmi/Science/", body, sent)).status == status
    assert len((await client.cdmi("GET", "/cdmi/Science/?children")).json["children"]) == 1

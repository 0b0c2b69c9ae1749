"""Data system metadata: what may be wished, what is provided, and what has to stay as it is."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.files.rules.offer import Offer
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import SPACE
from tests.integration.cdmi.client import Client, Reply

F, D = "/cdmi/Science/f", "/cdmi/Science/d/"
FOREVER = "2020-01-01T00:00:00.000000Z/2990-01-01T00:00:00.000000Z"
LONGER = "2020-01-01T00:00:00.000000Z/2991-01-01T00:00:00.000000Z"
SHORTER = "2020-01-01T00:00:00.000000Z/2989-01-01T00:00:00.000000Z"
OVER = "2020-01-01T00:00:00.000000Z/2021-01-01T00:00:00.000000Z"


async def make(client: Client, **items: Any) -> Reply:
    """Make the object with items of metadata."""
    reply = await client.cdmi("PUT", F, {"value": "text", "metadata": items})
    assert reply.status == 201
    return reply


async def change(client: Client, path: str = F, token: str = "owner", **items: Any) -> int:
    """Change the items alone; return the status."""
    query = ";".join(f"metadata:{name}" for name in items)
    sent = {name: value for name, value in items.items() if value is not None}
    return (await client.cdmi("PUT", f"{path}?{query}", {"metadata": sent}, token=token)).status


async def shown(client: Client, path: str = F, prefix: str = "cdmi_") -> dict[str, Any]:
    """Return items of metadata, without those that every file has."""
    items: dict[str, Any] = (await client.cdmi("GET", f"{path}?metadata:{prefix}")).json["metadata"]
    usual = {"cdmi_size", "cdmi_ctime", "cdmi_atime", "cdmi_mtime", "cdmi_owner"}
    return {name: value for name, value in items.items() if name not in usual}


@pytest.mark.capability(
    "container/cdmi_data_retention",
    "dataobject/cdmi_data_retention",
    "system/cdmi_security_immutability",
)
@ensureDeferred
async def test_a_retained_object_stays_as_it_is_and_its_period_grows_only(client: Client) -> None:
    made = await make(client, cdmi_retention_period=FOREVER, cdmi_retention_id="audit", k="v")
    expected = {
        "cdmi_retention_period": FOREVER,
        "cdmi_retention_period_provided": FOREVER,
        "cdmi_retention_id": "audit",
        "cdmi_retention_id_provided": "audit",
    }
    assert made.json["metadata"].items() >= expected.items()
    assert await shown(client) == expected
    assert (await client.send("DELETE", F)).status == 403
    assert (await client.send("PUT", F, b"other")).status == 403
    assert (await client.send("PUT", F, b"xx", {"Content-Range": "bytes 0-1/*"})).status == 403
    assert (await client.cdmi("PUT", F, {"value": "other"})).status == 403
    assert (await client.cdmi("PUT", F, {"mimetype": "a/b"})).status == 403
    assert await change(client, k="w") == 403
    assert await change(client, cdmi_retention_period=SHORTER) == 403
    assert await change(client, cdmi_retention_period=None) == 403
    assert await change(client, cdmi_retention_id="other") == 403
    assert await change(client, cdmi_retention_period=LONGER) == 204
    whole = {"metadata": {"k": "v", "cdmi_retention_period": LONGER}}
    assert (await client.cdmi("PUT", F, whole)).status == 204
    refused = await client.cdmi("DELETE", F, headers={"Prefer": "reason"})
    assert refused.json["error"]["details"]["errno"] == "eperm"
    assert (
        "retention until 2991-01-01T00:00:00Z on /f forbids delete"
        in (refused.json["error"]["details"]["reason"])
    )
    assert (await client.send("GET", F)).body == b"text"


@pytest.mark.capability(
    "container/cdmi_data_retention",
)
@ensureDeferred
async def test_what_is_in_a_retained_container_stays_too(client: Client) -> None:
    await client.cdmi("PUT", D, {})
    await client.send("PUT", D + "f", b"x")
    assert await change(client, D, cdmi_retention_period=FOREVER) == 204
    assert (await shown(client, D + "f"))["cdmi_retention_period_provided"] == FOREVER
    assert (await client.send("PUT", D + "g", b"x")).status == 403
    assert (await client.send("DELETE", D + "f")).status == 403
    assert (await client.send("DELETE", D)).status == 403
    copied = await client.cdmi("PUT", "/cdmi/Science/copy", {"copy": "/Science/d/f"})
    assert copied.status == 201 and "cdmi_retention_period" not in copied.json["metadata"]
    assert (await client.send("DELETE", "/cdmi/Science/copy")).status == 204


@ensureDeferred
async def test_after_its_retention_everything_is_allowed_again(client: Client) -> None:
    await make(client, cdmi_retention_period=OVER)
    assert await change(client, cdmi_retention_period=None) == 204
    assert await shown(client) == {}
    assert (await client.send("DELETE", F)).status == 204


@pytest.mark.capability(
    "container/cdmi_data_autodelete",
    "dataobject/cdmi_data_autodelete",
)
@ensureDeferred
async def test_what_is_to_go_after_its_retention_is_gone(client: Client, files: FileService) -> None:
    await make(client, cdmi_retention_period=OVER, cdmi_retention_autodelete="true")
    assert (await shown(client))["cdmi_retention_autodelete_provided"] == "true"
    body = {"metadata": {"cdmi_retention_period": OVER, "cdmi_retention_autodelete": "true"}}
    assert (await client.cdmi("PUT", D, body)).status == 201
    await files.recover(SPACE)
    assert (await client.send("GET", F)).status == 404
    assert (await client.cdmi("GET", D)).status == 404


@ensureDeferred
async def test_a_copy_of_a_container_that_is_to_be_held_is_whole_and_held(client: Client) -> None:
    for place in ("original/", "original/below/", "replaced/"):
        assert (await client.cdmi("PUT", f"/cdmi/Science/{place}", {})).status == 201
    assert (await client.cdmi("PUT", "/cdmi/Science/original/below/f", {"value": "v"})).status == 201
    body = {"copy": "/Science/original/", "metadata": {"cdmi_hold_id": ["case"]}}
    made = await client.cdmi("PUT", "/cdmi/Science/made/", body)
    assert (made.status, made.json["metadata"]["cdmi_hold_id"]) == (201, ["case"])
    assert (await client.cdmi("PUT", "/cdmi/Science/replaced/", body)).status == 204
    for top in ("made", "replaced"):
        inside = f"/cdmi/Science/{top}/below/f"
        assert (await client.cdmi("GET", inside)).json["value"] == "v"
        assert (await shown(client, f"/cdmi/Science/{top}/"))["cdmi_hold_id"] == ["case"]
        assert (await client.send("DELETE", inside)).status == 403
        assert (await client.send("DELETE", f"/cdmi/Science/{top}/")).status == 403


@pytest.mark.capability(
    "container/cdmi_data_holds",
    "dataobject/cdmi_data_holds",
    "system/cdmi_security_immutability",
)
@ensureDeferred
async def test_holds_are_added_and_never_removed(client: Client, files: FileService) -> None:
    await make(client)
    assert await change(client, cdmi_hold_id=["a"]) == 204
    assert await shown(client) == {"cdmi_hold_id": ["a"], "cdmi_hold_id_provided": ["a"]}
    assert (await client.send("DELETE", F)).status == 403
    assert await change(client, cdmi_hold_id={"b": "", "a": ""}) == 204
    for fewer in (["b"], [], None):
        assert await change(client, cdmi_hold_id=fewer) == 403
    assert (await client.cdmi("PUT", F, {"metadata": {}})).status == 403
    assert (await shown(client))["cdmi_hold_id"] == ["a", "b"]
    assert (await client.cdmi("PUT", D, {"metadata": {"cdmi_hold_id": ["c"]}})).status == 201
    assert (await client.send("PUT", D + "f", b"x")).status == 403


@ensureDeferred
async def test_others_than_the_owner_of_a_file_neither_hold_nor_retain_it(client: Client) -> None:
    await make(client)
    assert await change(client, token="member", cdmi_hold_id=["a"]) == 403
    assert await change(client, token="member", cdmi_retention_period=FOREVER) == 403
    entry = {"acetype": "ALLOW", "identifier": "AUTHENTICATED@", "aceflags": "0x0"}
    acl = [{**entry, "acemask": "READ_METADATA,WRITE_RETENTION_HOLD"}]
    assert await change(client, cdmi_acl=acl) == 204
    assert await change(client, token="member", cdmi_retention_period=FOREVER) == 403
    assert await change(client, token="member", cdmi_hold_id=["a"]) == 204


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cdmi_retention_period", "tomorrow"),
        ("cdmi_retention_period", "2030-01-01T00:00:00Z/2029-01-01T00:00:00Z"),
        ("cdmi_retention_period", 7),
        ("cdmi_retention_id", 7),
        ("cdmi_retention_id", "x" * 256),
        ("cdmi_retention_autodelete", "perhaps"),
        ("cdmi_hold_id", "a"),
        ("cdmi_hold_id", [7]),
        ("cdmi_hold_id", [""]),
        ("cdmi_hold_id", ["a"] * 101),
        ("cdmi_data_redundancy", "0"),
        ("cdmi_data_redundancy", "-1"),
        ("cdmi_data_redundancy", "many"),
        ("cdmi_data_redundancy", True),
        ("cdmi_immediate_redundancy", "2"),
        ("cdmi_value_hash", "MD5"),
        ("cdmi_geographic_placement", "PL"),
        ("cdmi_geographic_placement", ["Poland"]),
        ("cdmi_geographic_placement", ["PL"]),
        ("cdmi_encryption", "AES_XTS_256"),
        ("cdmi_RPO", "5"),
        ("cdmi_versioning", "all"),
        ("cdmi_assignedsize", "1000"),
    ],
)
@ensureDeferred
async def test_what_is_wrong_or_not_offered_is_refused_by_name(client: Client, name: str, value: Any) -> None:
    await make(client, k="v")
    for path in (F, f"{F}?metadata:{name}", "/cdmi/Science/new"):
        reply = await client.cdmi("PUT", path, {"metadata": {name: value, "k": "w"}})
        assert reply.status == 400
        assert reply.json["error"]["details"]["key"] == name
    assert (await client.cdmi("GET", F + "?metadata:k")).json == {"metadata": {"k": "v"}}
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404


@pytest.mark.capability(
    "container/cdmi_data_redundancy",
    "dataobject/cdmi_data_redundancy",
    "container/cdmi_immediate_redundancy",
    "dataobject/cdmi_immediate_redundancy",
)
@ensureDeferred
async def test_wishes_are_inherited_and_the_truth_is_told(client: Client) -> None:
    items = {"cdmi_data_redundancy": "3", "cdmi_immediate_redundancy": "true"}
    assert (await client.cdmi("PUT", D, {"metadata": items})).status == 201
    provided = {"cdmi_data_redundancy_provided": "1", "cdmi_immediate_redundancy_provided": "false"}
    await client.send("PUT", D + "f", b"x")
    for path in (D, D + "f"):
        assert await shown(client, path) == {**items, **provided}
    assert await change(client, D + "f", cdmi_data_redundancy="1") == 204
    assert await shown(client, D + "f") == {
        "cdmi_data_redundancy": "1",
        "cdmi_data_redundancy_provided": "1",
        "cdmi_immediate_redundancy": "true",
        "cdmi_immediate_redundancy_provided": "true",
    }
    assert await change(client, D + "f", cdmi_data_redundancy=None) == 204
    assert (await shown(client, D + "f"))["cdmi_data_redundancy"] == "3"


@ensureDeferred
async def test_wishes_stay_unless_they_are_sent_or_named(client: Client) -> None:
    await make(client, cdmi_data_redundancy="2", k="v")
    assert (await client.cdmi("PUT", F, {"metadata": {"l": "w"}})).status == 204
    assert (await shown(client))["cdmi_data_redundancy"] == "2"
    items = {"cdmi_data_redundancy": "3", "cdmi_data_redundancy_provided": "9", "cdmi_unknown": "x"}
    assert (await client.cdmi("PUT", F, {"metadata": items})).status == 204
    assert await shown(client) == {"cdmi_data_redundancy": "3", "cdmi_data_redundancy_provided": "1"}


@pytest.mark.capability(
    "container/cdmi_value_hash",
    "dataobject/cdmi_value_hash",
    "system/cdmi_security_data_integrity",
)
@ensureDeferred
async def test_a_wished_hash_is_shown_and_made_on_demand(client: Client) -> None:
    items = {"cdmi_value_hash": "SHA256", "cdmi_value_hash_provided": "SHA256"}
    assert (await client.cdmi("PUT", D, {"metadata": {"cdmi_value_hash": "SHA256"}})).status == 201
    assert await shown(client, D) == items
    await client.send("PUT", D + "f", b"text")
    assert await shown(client, D + "f") == {**items, "cdmi_hash": hash_of(b"text")}
    await client.send("PUT", D + "f", b"T", {"Content-Range": "bytes 0-0/*"})
    assert await shown(client, D + "f") == items
    assert await shown(client, D + "f", "cdmi_hash") == {"cdmi_hash": hash_of(b"Text")}
    await make(client)
    assert await shown(client, F, "cdmi_hash") == {}


PLACEMENT = "cdmi_geographic_placement"


async def advertised(client: Client, kind: str) -> bool:
    reply = await client.cdmi("GET", f"/cdmi/cdmi_capabilities/{kind}")
    return bool(reply.json["capabilities"].get(PLACEMENT) == "true")


@pytest.mark.capability(
    "container/cdmi_geographic_placement",
    "dataobject/cdmi_geographic_placement",
)
@pytest.mark.parametrize("offer", [Offer(countries=("PL",))])
@ensureDeferred
async def test_a_placement_is_kept_where_the_operator_says_where_he_is(client: Client) -> None:
    assert all([await advertised(client, kind) for kind in ("container/", "dataobject/", "queue/")])
    await make(client, cdmi_geographic_placement=["PL", "DE"])
    assert await shown(client) == {PLACEMENT: ["PL", "DE"], f"{PLACEMENT}_provided": ["PL"]}
    assert await change(client, cdmi_geographic_placement=["!PL"]) == 403
    assert await change(client, cdmi_geographic_placement=["QQ"]) == 400
    assert (await shown(client))[PLACEMENT] == ["PL", "DE"]
    assert await change(client, cdmi_geographic_placement=["*", "!US"]) == 204
    elsewhere = {"metadata": {PLACEMENT: ["DE"]}}
    assert (await client.cdmi("PUT", D, elsewhere)).status == 403
    assert (await client.cdmi("PUT", D, {"metadata": {PLACEMENT: ["PL"]}})).status == 201
    await client.send("PUT", D + "f", b"x")
    for path in (D, D + "f"):
        assert await shown(client, path) == {PLACEMENT: ["PL"], f"{PLACEMENT}_provided": ["PL"]}


@ensureDeferred
async def test_a_placement_is_not_promised_where_nobody_knows_it(client: Client) -> None:
    assert not any([await advertised(client, kind) for kind in ("container/", "dataobject/", "queue/")])


@ensureDeferred
async def test_lists_take_the_words_of_the_standard_and_give_them_back(client: Client) -> None:
    await make(client)
    entry = {"acetype": "ALLOW", "identifier": "OWNER@", "aceflags": "NO_FLAGS", "acemask": "ALL_PERMS"}
    ending = {**entry, "identifier": "ADMINUSERS@", "acemask": "RW", "expiration": "2030-01-01T00:00:00Z"}
    audit = {**entry, "acetype": "AUDIT", "identifier": "everyone@", "acemask": "READ_ALL,SYNCHRONIZE"}
    assert await change(client, cdmi_acl=[entry, ending, audit]) == 204
    assert (await shown(client, F, "cdmi_acl"))["cdmi_acl"] == [
        {"acetype": "0x0", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x1F07FF"},
        {
            "acetype": "0x0",
            "identifier": "ADMINUSERS@",
            "aceflags": "0x0",
            "acemask": "0x1F",
            "expiration": "2030-01-01T00:00:00.000000Z",
        },
        {"acetype": "0x2", "identifier": "EVERYONE@", "aceflags": "0x0", "acemask": "0x100009"},
    ]
    assert (await client.send("GET", F, token="member")).status == 403
    assert (await client.cdmi("PUT", F, {"value": "x"})).status == 204


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest().upper()

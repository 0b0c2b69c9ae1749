"""Data objects with CDMI content types."""

from __future__ import annotations

import base64

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

F = "/cdmi/Science/f.txt"


@pytest.mark.capability("system/cdmi_dataobjects", "container/cdmi_create_dataobject")
@ensureDeferred
async def test_created_object_is_answered_with_its_representation(client: Client) -> None:
    reply = await client.cdmi("PUT", F, {"value": "data", "metadata": {"a": [1, {"b": None}]}})
    assert (reply.status, reply.headers["content-type"]) == (201, "application/cdmi-object")
    assert reply.headers["x-cdmi-specification-version"] == "1.1.1"
    assert "value" not in reply.json and "valuerange" not in reply.json
    assert reply.json["metadata"]["a"] == [1, {"b": None}]
    assert reply.json["mimetype"] == "text/plain"
    assert reply.json["completionStatus"] == "Complete"


@pytest.mark.capability("dataobject/cdmi_read_value")
@ensureDeferred
async def test_read_returns_value_last_and_its_range(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": 'z\u017c"\\\n'})
    reply = await client.cdmi("GET", F)
    assert reply.status == 200
    assert list(reply.json)[-3:] == ["valuetransferencoding", "valuerange", "value"]
    assert (reply.json["value"], reply.json["valuerange"]) == ('z\u017c"\\\n', "0-5")
    assert int(reply.headers["content-length"]) == len(reply.body)


@ensureDeferred
async def test_empty_object_has_an_empty_range_and_value(client: Client) -> None:
    assert (await client.cdmi("PUT", F)).status == 201
    reply = await client.cdmi("GET", F)
    assert (reply.json["value"], reply.json["valuerange"]) == ("", "")
    assert (await client.cdmi("GET", F + "?value:0-5")).json == {"value": ""}


@ensureDeferred
async def test_base64_values_keep_their_bytes(client: Client) -> None:
    data = bytes(range(256))
    sent = {"value": base64.b64encode(data).decode(), "valuetransferencoding": "base64"}
    assert (await client.cdmi("PUT", F, sent)).status == 201
    reply = await client.cdmi("GET", F)
    assert reply.json["valuetransferencoding"] == "base64"
    assert base64.b64decode(reply.json["value"]) == data
    assert (await client.send("GET", F)).body == data


@ensureDeferred
async def test_bad_base64_creates_nothing(client: Client) -> None:
    reply = await client.cdmi("PUT", F, {"value": "#", "valuetransferencoding": "base64"})
    assert (reply.status, reply.json["error"]["details"]["key"]) == (400, "base64")
    assert (await client.cdmi("GET", F)).status == 404


@ensureDeferred
async def test_bad_metadata_create_nothing(client: Client) -> None:
    assert (await client.cdmi("PUT", F, {"metadata": []})).status == 400
    assert (await client.cdmi("PUT", F, {"metadata": {"onedata_x": 1}})).status == 403
    assert (await client.cdmi("GET", F)).status == 404


@pytest.mark.capability("dataobject/cdmi_modify_value")
@ensureDeferred
async def test_update_replaces_the_value_and_keeps_the_id(client: Client) -> None:
    created = (await client.cdmi("PUT", F, {"value": "long value"})).json
    assert (await client.cdmi("PUT", F, {"value": "new", "mimetype": "Text/X-New"})).status == 204
    read = (await client.cdmi("GET", F)).json
    assert (read["objectID"], read["value"], read["mimetype"]) == (created["objectID"], "new", "text/x-new")
    assert read["metadata"]["cdmi_size"] == "3"


@ensureDeferred
async def test_update_without_an_encoding_uses_the_stored_one(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "YQ==", "valuetransferencoding": "base64"})
    assert (await client.cdmi("PUT", F, {"value": "YmM="})).status == 204
    assert (await client.send("GET", F)).body == b"bc"
    assert (await client.cdmi("PUT", F, {"value": "no base64"})).status == 400
    assert (await client.send("GET", F)).body == b"bc"


@ensureDeferred
async def test_update_of_an_object_without_stored_encoding_is_literal(client: Client) -> None:
    await client.send("PUT", F, b"\xff\xfe")
    assert (await client.cdmi("GET", F)).json["valuetransferencoding"] == "base64"
    assert (await client.cdmi("PUT", F, {"value": "text"})).status == 204
    assert (await client.send("GET", F)).body == b"text"


@ensureDeferred
async def test_encoding_alone_changes_only_the_transport(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "text"})
    assert (await client.cdmi("PUT", F, {"valuetransferencoding": "base64"})).status == 204
    assert (await client.cdmi("GET", F + "?value;valuetransferencoding")).json == {
        "valuetransferencoding": "base64",
        "value": "dGV4dA==",
    }


@ensureDeferred
async def test_text_object_that_holds_other_bytes_travels_in_base64(client: Client) -> None:
    await client.send("PUT", F, b"\xff\x00", {"Content-Type": "text/plain; charset=utf-8"})
    reply = (await client.cdmi("GET", F)).json
    assert (reply["valuetransferencoding"], reply["value"], reply["mimetype"]) == (
        "base64",
        "/wA=",
        "text/plain",
    )


@pytest.mark.capability("dataobject/cdmi_modify_value_range")
@ensureDeferred
async def test_ranges_are_written_in_place_with_gaps_of_zeros(client: Client) -> None:
    data = base64.b64encode(b"data").decode()
    await client.cdmi("PUT", F)
    assert (await client.cdmi("PUT", F + "?value:0-3", {"value": data})).status == 204
    assert (await client.cdmi("PUT", F + "?value:10-13", {"value": data})).status == 204
    assert (await client.send("GET", F)).body == b"data" + bytes(6) + b"data"
    read = (await client.cdmi("GET", F)).json
    assert (read["metadata"]["cdmi_size"], read["valuetransferencoding"]) == ("14", "base64")


@ensureDeferred
async def test_range_of_another_length_changes_nothing(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "old"})
    for value, key in (("ZGF0YQ==", "range"), ("###", "base64")):
        reply = await client.cdmi("PUT", F + "?value:0-2", {"value": value, "metadata": {"a": 1}})
        assert (reply.status, reply.json["error"]["details"]["key"]) == (400, key)
    assert (await client.cdmi("PUT", F + "?value:0-2", {})).error_id == "missingRequiredValue"
    read = (await client.cdmi("GET", F)).json
    assert (read["value"], "a" in read["metadata"]) == ("old", False)


@pytest.mark.capability("container/cdmi_create_value_range")
@ensureDeferred
async def test_new_object_can_begin_with_a_gap(client: Client) -> None:
    assert (await client.cdmi("PUT", F + "?value:4-7", {"value": "ZGF0YQ=="})).status == 201
    assert (await client.send("GET", F)).body == bytes(4) + b"data"


@pytest.mark.capability("dataobject/cdmi_read_value_range")
@ensureDeferred
async def test_ranged_reads_are_cut_and_in_base64(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "File content!"})
    assert (await client.cdmi("GET", F + "?valuerange;value:5-99")).json == {
        "valuerange": "5-12",
        "value": base64.b64encode(b"content!").decode(),
    }
    assert (await client.cdmi("GET", F + "?valuerange;value:50-99")).json == {"valuerange": "", "value": ""}
    assert (await client.cdmi("GET", F + "?value:3-2")).status == 400


@ensureDeferred
@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
async def test_big_values_are_streamed_whole(client: Client, encoding: str) -> None:
    data = 'z\u017c\U0001f600\n"'.encode() * 300000
    await client.send("PUT", F, data, {"Content-Type": "text/plain; charset=utf-8"})
    await client.cdmi("PUT", F, {"valuetransferencoding": encoding})
    reply = await client.cdmi("GET", F)
    value = reply.json["value"]
    assert (value.encode() if encoding == "utf-8" else base64.b64decode(value)) == data
    assert reply.json["valuerange"] == f"0-{len(data) - 1}"


@pytest.mark.capability("dataobject/cdmi_read_metadata", "dataobject/cdmi_modify_metadata")
@ensureDeferred
async def test_user_metadata_are_replaced_or_touched_one_by_one(client: Client) -> None:
    async def user_items() -> dict[str, object]:
        shown = (await client.cdmi("GET", F + "?metadata")).json["metadata"]
        return {name: value for name, value in shown.items() if not name.startswith("cdmi_")}

    await client.cdmi("PUT", F, {"metadata": {"a": 1, "b": "x", "cdmi_size": "99"}})
    assert await user_items() == {"a": 1, "b": "x"}
    assert (await client.cdmi("PUT", F, {"metadata": {"c": True}})).status == 204
    assert await user_items() == {"c": True}
    named = F + "?metadata:my-key;metadata:%40u;metadata:c"
    assert (await client.cdmi("PUT", named, {"metadata": {"my-key": 1, "@u": 2, "x": 3}})).status == 204
    assert await user_items() == {"my-key": 1, "@u": 2}
    assert (await client.cdmi("GET", F + "?metadata:my-;metadata:%40")).json == {
        "metadata": {"my-key": 1, "@u": 2}
    }
    assert (await client.cdmi("PUT", F, {"value": "x"})).status == 204
    assert await user_items() == {"my-key": 1, "@u": 2}
    assert (await client.cdmi("PUT", F, {"metadata": {}})).status == 204
    assert await user_items() == {}


@ensureDeferred
async def test_json_and_rdf_metadata_are_items_among_others(client: Client) -> None:
    document = {"onedata_json": {"k": [1]}, "onedata_rdf": "<r/>", "x": 1}
    await client.cdmi("PUT", F, {"metadata": document})
    assert (await client.cdmi("GET", F + "?metadata:onedata;metadata:x")).json == {"metadata": document}
    await client.cdmi("PUT", F + "?metadata:onedata_json", {})
    assert (await client.cdmi("GET", F + "?metadata:onedata")).json == {"metadata": {"onedata_rdf": "<r/>"}}


@ensureDeferred
async def test_fresh_object_has_five_system_items(client: Client) -> None:
    await client.cdmi("PUT", F)
    shown = (await client.cdmi("GET", F + "?metadata")).json["metadata"]
    assert sorted(shown) == ["cdmi_atime", "cdmi_ctime", "cdmi_mtime", "cdmi_owner", "cdmi_size"]


@ensureDeferred
async def test_partial_series_is_processing_until_its_end(client: Client) -> None:
    partial = {"X-CDMI-Partial": "true"}
    await client.cdmi("PUT", F, {"value": "a"}, partial)
    read = (await client.cdmi("GET", F)).json
    assert read["completionStatus"] == "Processing"
    assert "value" not in read and "valuerange" not in read
    await client.cdmi("PUT", F + "?value:1-1", {"value": "Yg=="}, partial)
    assert (await client.cdmi("GET", F + "?completionStatus")).json == {"completionStatus": "Processing"}
    await client.send("PUT", F, b"c", {"Content-Range": "bytes 2-2/3"})
    assert (await client.cdmi("GET", F + "?completionStatus")).json == {"completionStatus": "Complete"}
    assert (await client.send("GET", F)).body == b"abc"


@pytest.mark.capability("system/cdmi_object_access_by_ID")
@ensureDeferred
async def test_object_is_reached_by_its_id_and_below_a_container_id(client: Client) -> None:
    made = (await client.cdmi("PUT", F, {"value": "x"})).json
    by_id = f"/cdmi/cdmi_objectid/{made['objectID'].lower()}"
    read = (await client.cdmi("GET", by_id)).json
    assert (read["objectName"], read["parentURI"], read["value"]) == ("f.txt", "/Science/", "x")
    assert (await client.cdmi("PUT", by_id + "?value:1-1", {"value": "eQ=="})).status == 204
    below = f"/cdmi/cdmi_objectid/{made['parentID']}/g.txt"
    assert (await client.cdmi("PUT", below, {"value": "g"})).status == 201
    assert (await client.send("GET", "/cdmi/Science/g.txt")).body == b"g"
    assert (await client.send("PUT", by_id, b"whole")).status == 204
    assert (await client.send("GET", by_id)).body == b"whole"
    assert (await client.send("DELETE", by_id)).status == 204
    assert (await client.cdmi("GET", by_id)).status == 404
    assert (await client.cdmi("PUT", by_id, {"value": "x"})).status == 404
    assert (await client.send("PUT", by_id, b"x")).status == 404


@pytest.mark.capability("dataobject/cdmi_delete_dataobject")
@ensureDeferred
async def test_deleted_object_is_gone_for_good(client: Client) -> None:
    await client.cdmi("PUT", F)
    assert (await client.send("DELETE", F)).status == 204
    again = await client.send("DELETE", F)
    assert (again.status, again.errno) == (404, "enoent")


@ensureDeferred
async def test_missing_parent_and_path_through_an_object_are_refused(client: Client) -> None:
    await client.cdmi("PUT", F)
    missing = await client.cdmi("PUT", "/cdmi/Science/no/f", {})
    assert (missing.status, missing.errno) == (404, "enoent")
    through = await client.cdmi("PUT", F + "/x", {})
    assert (through.status, through.error_id) == (400, "posix")
    assert (await client.cdmi("GET", F + "/x")).status == 404
    assert (await client.cdmi("GET", "/cdmi/Nowhere/x")).status == 404


@ensureDeferred
async def test_head_tells_what_get_would_without_a_body(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "12345"})
    plain = await client.send("HEAD", F)
    assert (plain.status, plain.headers["content-length"], plain.body) == (200, "5", b"")
    whole = await client.cdmi("GET", F)
    head = await client.cdmi("HEAD", F)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(whole.body)), b"")
    assert (await client.send("HEAD", "/cdmi/Science/none")).status == 404


@ensureDeferred
async def test_negotiation_gives_bytes_json_or_nothing(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "x"})
    for accept, content_type in (
        ("application/binary", "text/plain"),
        ("text/plain", "text/plain"),
        ("application/cdmi-object+json", "application/cdmi-object"),
        ("*/*", "application/cdmi-object"),
    ):
        reply = await client.cdmi("GET", F, headers={"Accept": accept})
        assert (reply.status, reply.headers["content-type"]) == (200, content_type)
    for accept in ("image/png", "application/cdmi-container", "multipart/x"):
        refused = await client.cdmi("GET", F, headers={"Accept": accept})
        assert (refused.status, refused.body) == (406, b"")
    unversioned = await client.send("GET", F, headers={"Accept": "application/cdmi-object"})
    assert (unversioned.status, unversioned.error_id) == (400, "missingRequiredValue")


@ensureDeferred
async def test_json_body_beyond_the_limit_is_refused_clearly(client: Client) -> None:
    for body in ({"odd": "x" * (3 << 20)}, {"value": "v", "metadata": {"a": ["x"] * (1 << 20)}}):
        reply = await client.cdmi("PUT", F, body)
        assert (reply.status, reply.error_id) == (413, "badData")
        assert (await client.cdmi("GET", F)).status == 404


@ensureDeferred
async def test_services_that_are_not_advertised_are_refused(client: Client) -> None:
    reply = await client.cdmi("PUT", F, b"", {"Content-Type": "application/cdmi-domain"})
    assert (reply.status, reply.error_id) == (400, "notSupported")
    assert (await client.cdmi("GET", F)).status == 404
    assert (await client.cdmi("PUT", "/cdmi/cdmi_domains/d/", {})).error_id == "notSupported"

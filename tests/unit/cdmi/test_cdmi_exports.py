"""What a member ``exports`` asks for."""

from __future__ import annotations

import pytest

from onedata.errors import BadData, BadValueName, BadValueString, BadValueTextTooLarge, OnedataError
from onedata.ids import ShareId
from op_worker.files.granting.share_sets import WantedShare
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.members import parse_container_body
from op_worker.http.cdmi.containers.exports import PROTOCOL, wanted_shares


def test_one_export_or_several_are_wanted() -> None:
    one: dict[str, Json] = {"identifier": "Data", "permissions": ["EVERYONE@"], "description": "d"}
    two: dict[str, Json] = {"identifier": "More", "permissions": "EVERYONE@", "share_id": "s"}
    assert wanted_shares({}) == wanted_shares({PROTOCOL: []}) == []
    assert wanted_shares({PROTOCOL: one}) == [WantedShare(name="Data", description="d")]
    assert wanted_shares({PROTOCOL: [one, two]})[1] == WantedShare(name="More", share_id=ShareId("s"))


def test_what_the_server_fills_in_may_be_sent_back() -> None:
    shown: dict[str, Json] = {"identifier": "Data", "url": "u", "expires": "e", "has_password": "true"}
    assert wanted_shares({PROTOCOL: shown}) == [WantedShare(name="Data")]


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"Network/NFSv4": {"identifier": "Data"}}, BadData),
        ({"nfs": {}}, BadData),
        ({"Network/WebDAV": {"identifier": "Data", "permissions": "domain"}}, BadData),
        ({PROTOCOL: {"identifier": "Data", "mode": "rw"}}, BadData),
        ({PROTOCOL: {"identifier": "Data", "permissions": "domain"}}, BadData),
        ({PROTOCOL: {}}, BadData),
        ({PROTOCOL: "Data"}, BadData),
        ({PROTOCOL: None}, BadData),
        ({PROTOCOL: [{"identifier": "Data"}, {"identifier": "Data"}]}, BadData),
        ({PROTOCOL: {"identifier": 1}}, BadValueString),
        ({PROTOCOL: {"identifier": "a/b"}}, BadValueName),
        ({PROTOCOL: {"identifier": "Data", "share_id": 1}}, BadValueString),
        ({PROTOCOL: {"identifier": "Data", "description": "x" * 100_001}}, BadValueTextTooLarge),
    ],
)
def test_exports_that_cannot_be_are_refused(sent: dict[str, Json], error: type[OnedataError]) -> None:
    with pytest.raises(error):
        wanted_shares(sent)


@pytest.mark.parametrize(
    "body",
    [{"exports": []}, {"exports": None}, {"exports": {}, "copy": "/S/a/"}, {"exports": {}, "move": "x"}],
)
def test_exports_are_an_object_and_come_with_no_source(body: dict[str, Json]) -> None:
    with pytest.raises(BadData) as refused:
        parse_container_body(body)
    assert refused.value.key == "exports"

"""Members of representations, their order, their selection."""

from __future__ import annotations

import json

from attrs import evolve

from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId, space_root_guid, user_root_guid
from op_worker.files.model import FileStat, FileType
from op_worker.http.cdmi.representations.representation import (
    child_name,
    container_members,
    logical_path,
    object_members,
    range_text,
    render,
)
from op_worker.http.cdmi.requests.queries import parse_query

SPACE = space_root_guid(SpaceId("s"))
FILE = FileStat(
    guid=FileGuid(FileUuid("u"), SpaceId("s")),
    parent=SPACE,
    name="f 1",
    path=("f 1",),
    space_name="My Space",
    type=FileType.REG,
    mode=0o664,
    owner=UserId("o"),
    provider_id=ProviderId("p"),
    created_s=0,
    atime_s=0,
    mtime_s=0,
    ctime_s=0,
)
ROOT = user_root_guid(UserId("o"))
ALL = parse_query(b"")


def test_object_members_come_in_the_order_of_the_standard() -> None:
    assert list(object_members(FILE, {}, ALL)) == [
        "objectType",
        "objectID",
        "objectName",
        "parentURI",
        "parentID",
        "domainURI",
        "capabilitiesURI",
        "completionStatus",
        "mimetype",
        "metadata",
    ]


def test_object_names_its_place_with_an_encoded_parent() -> None:
    members = object_members(FILE, {}, ALL)
    assert members["objectType"] == "application/cdmi-object"
    assert members["objectID"] == FILE.guid.object_id()
    assert (members["parentURI"], members["objectName"]) == ("/My%20Space/", "f 1")
    assert members["parentID"] == SPACE.object_id()
    assert members["domainURI"] == "/cdmi_domains/s/"
    assert members["capabilitiesURI"] == "cdmi_capabilities/dataobject/"


def test_container_name_ends_with_a_slash() -> None:
    directory = evolve(FILE, type=FileType.DIR, path=("a", "b"), name="b")
    members = container_members(directory, {}, ALL)
    assert (members["parentURI"], members["objectName"]) == ("/My%20Space/a/", "b/")
    assert "mimetype" not in members
    assert child_name(directory) == "b/"
    assert child_name(FILE) == "f 1"


def test_space_is_a_child_of_the_root() -> None:
    space = evolve(FILE, guid=SPACE, parent=ROOT, path=(), name="My Space", type=FileType.DIR)
    members = container_members(space, {}, ALL)
    assert (members["parentURI"], members["objectName"]) == ("/", "My Space/")
    assert logical_path(space) == ("My Space",)


def test_root_has_neither_parent_nor_name() -> None:
    root = evolve(FILE, guid=ROOT, parent=None, path=(), name="", type=FileType.DIR)
    members = container_members(root, {}, ALL)
    assert (members["objectName"], members["parentURI"]) == ("/", "")
    assert "parentID" not in members
    assert members["domainURI"] == "/cdmi_domains/"
    assert logical_path(root) == ()


def test_only_wanted_members_are_returned() -> None:
    assert list(object_members(FILE, {}, parse_query(b"mimetype;objectName;nonsense"))) == [
        "objectName",
        "mimetype",
    ]


def test_ranges_of_nothing_are_empty_text() -> None:
    assert range_text(0, 0) == ""
    assert range_text(3, 2) == "3-4"


def test_json_keeps_text_readable_and_escapes_what_must_be() -> None:
    raw = render({"a": '\u017c"\\\n\x01'})
    assert raw == b'{"a":"\xc5\xbc\\"\\\\\\n\\u0001"}'
    assert json.loads(raw) == {"a": '\u017c"\\\n\x01'}

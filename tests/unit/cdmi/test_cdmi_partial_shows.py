"""What is shown of an object to somebody who may not read all, and what a copy of some fields takes."""

from __future__ import annotations

import pytest

from onedata.errors import Posix
from op_worker.files.metadata.custom import following
from op_worker.files.model import REMOVED, Json, MetadataChange
from op_worker.http.cdmi.representations.copied_fields import copied_fields, with_defaults
from op_worker.http.cdmi.representations.metadata import ENCODING, MIMETYPE
from op_worker.http.cdmi.representations.permitted import Readable, permitted
from op_worker.http.cdmi.requests.queries import parse_query

ACL: list[Json] = [{"acetype": "0x0", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x1"}]
MEMBERS: dict[str, Json] = {"objectName": "f", "metadata": {"a": 1, "cdmi_acl": ACL}}
XATTRS: dict[str, Json] = {"a": 1, "ab": 2, "onedata_json": {"x": 1}, MIMETYPE: "a/b", ENCODING: "base64"}


def test_all_is_shown_to_whoever_may_read_all() -> None:
    assert permitted(MEMBERS, Readable(XATTRS)) == MEMBERS


def test_metadata_shrink_to_the_list_or_go() -> None:
    hidden = Readable({}, shows_metadata=False)
    assert permitted(MEMBERS, hidden) == {"objectName": "f", "metadata": {"cdmi_acl": ACL}}
    assert permitted({"objectName": "f", "metadata": {"a": 1}}, hidden) == {"objectName": "f"}


def test_nothing_at_all_is_forbidden_unless_nothing_was_hidden() -> None:
    hidden = Readable({}, shows_metadata=False)
    assert permitted({}, hidden) == {}
    assert permitted({"metadata": {}}, hidden, has_more=True) == {}
    for members, denied in (({"metadata": {}}, ()), ({}, ("value",))):
        with pytest.raises(Posix):
            permitted(members, hidden, denied)


def test_names_in_the_source_are_prefixes_and_in_the_destination_names() -> None:
    asked = parse_query(b"metadata:a")
    assert copied_fields(XATTRS, asked, is_of_source=True).set_xattrs == {"a": 1, "ab": 2}
    assert copied_fields(XATTRS, asked, is_of_source=False).set_xattrs == {"a": 1}


def test_fields_that_are_not_asked_for_are_left_alone() -> None:
    assert copied_fields(XATTRS, parse_query(b"value"), is_of_source=True).is_empty
    whole = copied_fields(XATTRS, parse_query(b"metadata"), is_of_source=True)
    assert (whole.replace_user_xattrs, whole.json, whole.rdf) == ({"a": 1, "ab": 2}, {"x": 1}, REMOVED)
    properties = copied_fields(XATTRS, parse_query(b"mimetype;valuetransferencoding"), is_of_source=True)
    assert properties.set_xattrs == {MIMETYPE: "a/b", ENCODING: "base64"}
    assert with_defaults(MetadataChange()).set_xattrs == {MIMETYPE: "text/plain", ENCODING: "utf-8"}
    assert with_defaults(properties) == properties


def test_a_change_that_follows_another_has_the_last_word() -> None:
    first = MetadataChange(replace_user_xattrs={"a": 1, "b": 2}, set_xattrs={"cdmi_mimetype": "a/b"}, json=1)
    named = following(first, MetadataChange(set_xattrs={"c": 3}, remove_xattrs=("a",), rdf=b"r"))
    assert (named.replace_user_xattrs, named.set_xattrs) == ({"b": 2}, {"cdmi_mimetype": "a/b", "c": 3})
    assert (named.json, named.rdf) == (1, b"r")
    whole = following(first, MetadataChange(replace_user_xattrs={"d": 4}, json=REMOVED))
    assert (whole.replace_user_xattrs, whole.set_xattrs) == ({"d": 4}, {"cdmi_mimetype": "a/b"})
    assert whole.json is REMOVED
    assert (
        following(MetadataChange(set_xattrs={"a": 1}), MetadataChange(remove_xattrs=("a",))).set_xattrs == {}
    )

"""Which metadata are shown, and what updates change."""

from __future__ import annotations

import pytest

from onedata.errors import BadData, Posix
from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId
from op_worker.files.model import REMOVED, UNSET, FileStat, FileType, Json, MetadataChange
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.negotiation import parse_media_type

STAT = FileStat(
    guid=FileGuid(FileUuid("u"), SpaceId("s")),
    parent=FileGuid(FileUuid("p"), SpaceId("s")),
    name="f",
    path=("f",),
    space_name="Space",
    type=FileType.REG,
    mode=0o664,
    owner=UserId("owner1"),
    provider_id=ProviderId("p1"),
    created_s=1610615618.0,
    atime_s=1610615618.25,
    mtime_s=1610615618.5,
    ctime_s=1610615619.0,
    size_b=14,
)


def test_times_are_utc_with_microseconds() -> None:
    assert metadata.timestamp(1610615618.25) == "2021-01-14T09:13:38.250000Z"


@pytest.mark.parametrize("time_s", [-1e20, 1e20, 2.0**70])
def test_times_out_of_the_calendar_are_bounded(time_s: float) -> None:
    assert metadata.timestamp(time_s).endswith("Z")


def test_fresh_object_shows_exactly_five_system_items() -> None:
    assert metadata.shown_items(STAT, {"cdmi_mimetype": "a/b"}, ()) == {
        "cdmi_size": "14",
        "cdmi_ctime": "2021-01-14T09:13:38.000000Z",
        "cdmi_atime": "2021-01-14T09:13:38.250000Z",
        "cdmi_mtime": "2021-01-14T09:13:38.500000Z",
        "cdmi_owner": "owner1",
    }


def test_prefixes_select_user_and_system_items_alike() -> None:
    xattrs: dict[str, Json] = {"my-key": 1, "my2": [2], "other": {}}
    assert metadata.shown_items(STAT, xattrs, ("my", "cdmi_s")) == {
        "my-key": 1,
        "my2": [2],
        "cdmi_size": "14",
    }


def test_no_metadata_member_changes_nothing() -> None:
    assert metadata.update(None, ()).is_empty


def test_metadata_without_names_replace_every_user_item() -> None:
    change = metadata.update({"a": 1, "cdmi_size": "9", "onedata_json": {"k": 1}, "onedata_rdf": "<r/>"}, ())
    assert change == MetadataChange(replace_user_xattrs={"a": 1}, json={"k": 1}, rdf=b"<r/>")


def test_empty_metadata_remove_every_user_item() -> None:
    assert metadata.update({}, ()) == MetadataChange(replace_user_xattrs={}, json=REMOVED, rdf=REMOVED)


def test_named_items_are_set_or_removed_and_others_ignored() -> None:
    change = metadata.update({"a": 1, "c": 3}, ("a", "b", "cdmi_size"))
    assert change == MetadataChange(set_xattrs={"a": 1}, remove_xattrs=("b",), json=UNSET, rdf=UNSET)


def test_named_json_and_rdf_are_set_or_removed() -> None:
    change = metadata.update({"onedata_json": None}, ("onedata_json", "onedata_rdf"))
    assert (change.json, change.rdf, change.set_xattrs, change.remove_xattrs) == (None, REMOVED, {}, ())


def test_named_items_without_a_body_are_removed() -> None:
    assert metadata.update(None, ("a",)) == MetadataChange(remove_xattrs=("a",))


@pytest.mark.parametrize(
    ("sent", "names", "acl"),
    [
        (None, (), UNSET),
        ({}, (), UNSET),
        ({"cdmi_acl": []}, ("a",), UNSET),
        ({"cdmi_acl": []}, (), ()),
        ({"cdmi_acl": []}, ("cdmi_acl",), ()),
        ({}, ("cdmi_acl",), REMOVED),
        (None, ("cdmi_acl",), REMOVED),
    ],
)
def test_access_control_list_stays_unless_it_is_sent_or_named(
    sent: dict[str, Json] | None, names: tuple[str, ...], acl: object
) -> None:
    assert metadata.update(sent, names).acl == acl


@pytest.mark.parametrize(
    ("sent", "names"), [({"onedata_x": 1}, ()), ({"onedata_x": 1}, ("onedata_x",)), ({}, ("onedata_x",))]
)
def test_names_of_the_system_are_not_permitted(sent: dict[str, int], names: tuple[str, ...]) -> None:
    with pytest.raises(Posix):
        metadata.update(sent, names)


def test_rdf_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadData):
        metadata.update({"onedata_rdf": 1}, ())


@pytest.mark.parametrize(
    "sent",
    [
        {str(n): "" for n in range(metadata.MAX_ITEMS + 1)},
        {"a": "x" * metadata.MAX_ITEM_B},
        {str(n): "x" * 60000 for n in range(20)},
        {"": ""},
        {"n" * 256: ""},
        {"a\0": ""},
    ],
)
def test_limits_of_the_capabilities_are_enforced(sent: dict[str, str]) -> None:
    with pytest.raises(BadData) as refusal:
        metadata.update(sent, ())
    assert refusal.value.key == "metadata"


def test_items_left_by_a_named_change_are_counted_for_the_limits() -> None:
    change = metadata.update({"b": 2}, ("a", "b"))
    assert metadata.after({"a": 1, "c": 3, "cdmi_mimetype": "x/y"}, change) == {"b": 2, "c": 3}


def test_object_properties_are_added_to_a_change() -> None:
    change = metadata.with_properties(
        metadata.update({"b": 2}, ("a", "b")),
        mimetype="a/b",
        encoding=Encoding.UTF8,
        completion=metadata.PROCESSING,
    )
    assert change.set_xattrs == {
        "b": 2,
        "cdmi_mimetype": "a/b",
        "cdmi_valuetransferencoding": "utf-8",
        "cdmi_completion_status": "Processing",
    }
    assert change.remove_xattrs == ("a",)


def test_write_marks_or_ends_a_partial_series() -> None:
    processing, complete = {"cdmi_completion_status": "Processing"}, {"cdmi_completion_status": "Complete"}
    assert metadata.written(is_partial=True, xattrs={}).set_xattrs == processing
    assert metadata.written(is_partial=False, xattrs=processing).set_xattrs == complete
    assert metadata.written(is_partial=False, xattrs={}).is_empty


def test_plain_type_is_stored_unless_it_is_the_default() -> None:
    text, octets = parse_media_type("text/plain; charset=utf-8"), parse_media_type("application/octet-stream")
    stored = {"cdmi_mimetype": "text/plain", "cdmi_valuetransferencoding": "utf-8"}
    assert metadata.retyped(text, {}).set_xattrs == stored
    assert metadata.retyped(text, stored).is_empty
    assert metadata.retyped(octets, {}).is_empty
    assert metadata.retyped(None, stored).is_empty
    assert metadata.retyped(octets, stored).set_xattrs == {
        "cdmi_mimetype": "application/octet-stream",
        "cdmi_valuetransferencoding": "base64",
    }


def test_type_that_is_no_header_counts_as_the_default() -> None:
    assert metadata.retyped(parse_media_type("nonsense"), {}).is_empty


def test_merged_changes_set_what_each_of_them_sets() -> None:
    first = MetadataChange(replace_user_xattrs={}, set_xattrs={"a": 1})
    merged = metadata.merged(first, MetadataChange(set_xattrs={"b": 2}))
    assert merged == MetadataChange(replace_user_xattrs={}, set_xattrs={"a": 1, "b": 2})


def test_properties_never_set_have_their_defaults() -> None:
    assert metadata.mimetype_of({}) == "application/octet-stream"
    assert metadata.encoding_of({}) is None
    assert metadata.completion_of({}) == "Complete"


def test_stored_properties_are_read_back() -> None:
    change = metadata.with_properties(
        MetadataChange(), mimetype="a/b", encoding=Encoding.BASE64, completion=metadata.PROCESSING
    )
    xattrs = dict(change.set_xattrs)
    assert metadata.mimetype_of(xattrs) == "a/b"
    assert metadata.encoding_of(xattrs) is Encoding.BASE64
    assert metadata.completion_of(xattrs) == "Processing"


def test_odd_stored_properties_fall_back_to_defaults() -> None:
    odd = {"cdmi_mimetype": 1, "cdmi_valuetransferencoding": "rot13", "cdmi_completion_status": []}
    assert metadata.mimetype_of(odd) == "application/octet-stream"  # type: ignore[arg-type]  # odd on purpose
    assert metadata.encoding_of(odd) is None  # type: ignore[arg-type]  # odd on purpose
    assert metadata.completion_of(odd) == "Complete"  # type: ignore[arg-type]  # odd on purpose

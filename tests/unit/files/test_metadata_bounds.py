"""What custom metadata may hold: bad input has a clear error, whatever its shape."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.pool import Inline
from onedata.errors import BadData, BadValueJSON, BadValueXML, Errno, OnedataError, Posix
from op_worker.files.metadata import key_path
from op_worker.files.metadata.custom import MAX_XATTRS
from op_worker.files.metadata.json_bounds import MAX_DEPTH, check_json
from op_worker.files.metadata.metadata_checks import MAX_XATTR_VALUE_B, checked
from op_worker.files.metadata.rdf import check_rdf
from op_worker.files.model import CreateOptions, Json, MetadataChange, Target
from tests.support.spaces import ROOT, Site, owner

BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><r>&b;</r>'


def nested(depth: int, leaf: Json = None) -> Json:
    value = leaf
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def test_json_may_be_nested_to_the_limit_and_no_deeper() -> None:
    check_json(nested(MAX_DEPTH, "x"))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(BadData) as refused:
            check_json(nested(depth))
        assert refused.value.key == "metadata"


@pytest.mark.parametrize(
    "value", [float("inf"), {"a": [float("nan")]}, "\ud800", {"\udc00": 1}, [["\udfff"]]]
)
def test_json_that_cannot_be_written_back_is_refused(value: Json) -> None:
    with pytest.raises(BadValueJSON):
        check_json(value)


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"plain", b"<a>", b"<a/><b/>", b"<a>\xff</a>", b"<a>\0</a>", b"<a>" * 1001 + b"</a>" * 1001,
     BOMB,
     b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', b'<?xml version="1.0" encoding="none"?><r/>'],
)  # fmt: skip
def test_rdf_that_is_no_safe_xml_is_refused(document: bytes) -> None:
    with pytest.raises(BadValueXML):
        check_rdf(document)


@pytest.mark.parametrize(
    "document",
    [b"<rdf:RDF/>", b'<?xml version="1.0"?>\n<r a="1">&amp;&#65;</r>\n', b"<r>%b</r>" % (b"<x/>" * 50_000),
     '<?xml version="1.0" encoding="utf-16"?><r/>'.encode("utf-16")],
)  # fmt: skip
def test_well_formed_rdf_is_taken(document: bytes) -> None:
    check_rdf(document)


@pytest.mark.parametrize("path", [".".join(["a"] * 129), "[65536].[1]", "a.[40000].[40000]"])
def test_key_paths_that_would_cost_too_much_are_refused(path: str) -> None:
    with pytest.raises(Posix) as refused:
        key_path.parse(path)
    assert refused.value.errno is Errno.EINVAL


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (MetadataChange(set_xattrs={"a": nested(129)}), BadData),
        (MetadataChange(set_xattrs={"onedata_json": nested(129)}), BadData),
        (MetadataChange(set_xattrs={"onedata_rdf": "no xml"}), BadValueXML),
        (MetadataChange(replace_user_xattrs={"a": float("inf")}), BadValueJSON),
        (MetadataChange(set_xattrs={"a": "x" * MAX_XATTR_VALUE_B}), Posix),
        (MetadataChange(rdf=BOMB), BadValueXML),
    ],
)
@ensureDeferred
async def test_a_bad_change_is_refused_as_a_whole(change: MetadataChange, error: type[OnedataError]) -> None:
    with pytest.raises(error):
        await checked(Inline(), change)


@ensureDeferred
async def test_a_refused_change_loses_nothing_of_what_there_was() -> None:
    files = await Site().process()
    target = Target(ROOT)
    await files.metadata.change(
        owner, target, MetadataChange(set_xattrs={"a": 1}, json={"k": 1}, rdf=b"<r/>")
    )
    too_many = {str(number): number for number in range(MAX_XATTRS)}
    changes = [
        MetadataChange(set_xattrs={"b": 2}, json=nested(129)),
        MetadataChange(set_xattrs={"b": 2}, rdf=b"<r>"),
        MetadataChange(set_xattrs=too_many),
    ]
    for change in changes:
        with pytest.raises(OnedataError):
            await files.metadata.change(owner, target, change)
    with pytest.raises(BadData):
        await files.metadata.set_json(owner, target, nested(100), ".".join(["a"] * 60))
    assert await files.metadata.xattrs(owner, target) == {"a": 1}
    assert await files.metadata.json(owner, target) == {"k": 1}
    assert await files.metadata.rdf(owner, target) == b"<r/>"


@ensureDeferred
async def test_documents_at_the_limit_are_merged_with_what_they_inherit() -> None:
    files = await Site().process()
    target = Target(ROOT)
    made = await files.create_directory(owner, Target(ROOT, ("d",)), CreateOptions())
    deep = {"left": nested(MAX_DEPTH - 2, 1), "right": 2}
    await files.metadata.set_json(owner, target, {"left": nested(MAX_DEPTH - 2, 0), "top": 1})
    await files.metadata.set_json(owner, Target(made.guid), deep)
    merged = await files.metadata.json(owner, Target(made.guid), inherited=True)
    assert merged == {"left": deep["left"], "right": 2, "top": 1}


@ensureDeferred
async def test_inheriting_more_than_can_be_held_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.files.metadata.metadata.MAX_INHERITED_B", 3_000_000)
    files = await Site().process()
    target = Target(ROOT)
    for depth in range(4):
        target = Target(ROOT, ("d",) * (depth + 1))
        await files.create_directory(owner, target, CreateOptions())
        await files.metadata.set_json(owner, target, {str(depth): "x" * 900_000})
    with pytest.raises(Posix) as refused:
        await files.metadata.json(owner, target, inherited=True)
    assert refused.value.errno is Errno.E2BIG
    third = Target(ROOT, ("d",) * 3)
    merged = await files.metadata.json(owner, third, inherited=True)
    assert isinstance(merged, dict)
    assert set(merged) == {"0", "1", "2"}

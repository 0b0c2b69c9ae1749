"""Whatever tree is serialised comes back the same; canonical JSON is read alike however it is cut."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_worker.runtime.streams import BytesStream
from onedata.errors import BadData
from op_worker.files.model import CreateOptions, FileType, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.requests.addresses import parse_address
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest
from op_worker.http.cdmi.serialization.canonical import CanonicalStream
from op_worker.http.cdmi.serialization.deserializing import Deserializing
from op_worker.http.cdmi.serialization.reading import Begun, CanonicalItems, Ended, Item, ValueText
from op_worker.http.cdmi.serialization.serializing import Serializing
from op_worker.storage.helpers.nulldevice.helper import NullHelper
from tests.support.immediate import now
from tests.support.spaces import Site, body, owner, path, read

REQUEST = CdmiRequest(method="PUT", address=parse_address(b"/Science/x/"), query=Query(), host="h")

names = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and not name.startswith("cdmi_")
)
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
items = st.dictionaries(names.filter(lambda name: not name.startswith("onedata_")), values, max_size=3)
contents = st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
encodings = st.sampled_from(["utf-8", "base64", None])
objects = st.tuples(contents, items, encodings)
trees = st.recursive(
    st.dictionaries(names, objects, max_size=3),
    lambda inner: st.dictionaries(names, objects | st.tuples(items, inner), max_size=4),
    max_leaves=12,
)


async def make(files: FileService, place: str, tree: Mapping[str, Any], xattrs: Mapping[str, Any]) -> None:
    await files.create_directory(owner, path(place), CreateOptions())
    if xattrs:
        await files.metadata.change(owner, path(place), MetadataChange(set_xattrs=xattrs))
    for name, entry in tree.items():
        if isinstance(entry[1], dict) and not isinstance(entry[0], bytes):
            await make(files, f"{place}/{name}", entry[1], entry[0])
            continue
        content, its, encoding = entry
        given = its if encoding is None else {**its, "cdmi_valuetransferencoding": encoding}
        change = MetadataChange(set_xattrs=given)
        await files.replace_content(
            owner,
            path(f"{place}/{name}"),
            body(content),
            expected_b=None,
            create=CreateOptions(),
            metadata=change,
        )


async def snapshot(files: FileService, place: str) -> dict[str, Any]:
    page = await files.list_recursive(owner, path(place), limit=9999, include_directories=True)
    found: dict[str, Any] = {}
    for name, stat in page.items:
        inner = path(f"{place}/{name}")
        content = await read(files, inner) if stat.type is FileType.REG else None
        xattrs = await files.metadata.xattrs(owner, inner, internal=True)
        found[name] = (stat.type, content, xattrs, stat.owner)
    return found


async def serialise(files: FileService, place: str, into: str) -> bytes:
    await Serializing(files, Locator(files)).write(
        owner, REQUEST, path(into), None, ObjectBody(serialize=f"/Science/{place}"), MetadataChange()
    )
    return await read(files, path(into))


async def deserialise(files: FileService, source: str, into: str) -> None:
    asked = ContainerBody(deserialize=f"/Science/{source}")
    await Deserializing(files, Locator(files)).write(owner, REQUEST, path(into), None, Kind.CONTAINER, asked)


def plain(xattrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes without properties that say no more than their absence does."""
    usual = {"cdmi_valuetransferencoding": "base64", "cdmi_mimetype": "application/octet-stream"}
    return {name: value for name, value in xattrs.items() if usual.get(name) != value}


def is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(trees, items)
def test_every_tree_comes_back_byte_for_byte_and_item_for_item(
    tree: dict[str, Any], xattrs: dict[str, Any]
) -> None:
    async def there_and_back() -> None:
        files = await Site().process()
        await make(files, "a", tree, xattrs)
        first = await serialise(files, "a", "one")
        await deserialise(files, "one", "b")
        before, after = await snapshot(files, "a"), await snapshot(files, "b")
        assert list(before) == list(after)
        for name, (kind, content, its, whose) in before.items():
            assert after[name][:2] == (kind, content)
            assert after[name][3] == whose
            if kind is FileType.REG and not is_text(content):
                its = {**its, "cdmi_valuetransferencoding": "base64"}  # bytes that are no text travel so
            assert plain(after[name][2]) == plain(its)
        assert json.loads(first)["metadata"].items() >= xattrs.items()

    now(there_and_back())


class Cut:
    """A document in pieces of given sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes

    async def read(self) -> bytes:
        size = self._sizes.pop() if self._sizes else len(self._data)
        piece, self._data = self._data[:size], self._data[size:]
        return piece


async def every(source: Any) -> list[tuple[Any, ...]]:
    """Return all items, the pieces of a value as one."""
    items = CanonicalItems(source)
    found: list[Item] = []
    while (item := await items.next()) is not None:
        found.append(item)
    told: list[tuple[Any, ...]] = []
    text = b""
    for item in found:
        match item:
            case Begun(members, has_value, has_children):
                told.append((dict(members), has_value, has_children))
            case ValueText(piece, is_last):
                text += piece
                if is_last:
                    told.append((text,))
                    text = b""
            case Ended():
                told.append(())
    return told


DOCUMENT = json.dumps(
    {
        "objectType": "application/cdmi-container",
        "metadata": {"value": ["value"], "children": [{"children": []}]},
        "children": [
            {"objectName": 'a\\"', "value": 'x\\u0041"' * 5},
            {"objectName": "d/", "children": [{"value": {"json": [1, "value"]}}]},
            {"objectName": "none"},
        ],
    }
).encode()


@given(st.lists(st.integers(1, 9), max_size=400))
def test_canonical_json_is_read_alike_however_it_is_cut(sizes: list[int]) -> None:
    assert now(every(Cut(DOCUMENT, sizes))) == now(every(BytesStream(DOCUMENT)))


@given(st.integers(0, len(DOCUMENT) - 1), st.binary(min_size=1, max_size=3))
def test_broken_canonical_json_gives_items_or_a_refusal_and_nothing_else(at: int, junk: bytes) -> None:
    try:
        now(every(BytesStream(DOCUMENT[:at] + junk + DOCUMENT[at + len(junk) :])))
    except BadData:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_long_values_pass_in_pieces_both_ways(encoding: str) -> None:
    size_b = 24 << 20

    class Long:
        left = size_b

        async def read(self) -> bytes:
            piece_b = min(self.left, 1 << 18)
            self.left -= piece_b
            return b'\\"' * (piece_b // 2)

    async def there_and_back() -> None:
        site = Site(helper=NullHelper())
        files = await site.process()
        change = MetadataChange(set_xattrs={"cdmi_valuetransferencoding": encoding})
        await files.create_directory(owner, path("a"), CreateOptions())
        create = CreateOptions()
        await files.replace_content(
            owner, path("a/f"), Long(), expected_b=size_b, create=create, metadata=change
        )
        stream = CanonicalStream(
            files, Locator(files), owner, Target((await files.stat(owner, path("a"))).guid), lambda: False
        )
        items = CanonicalItems(stream)
        total_b = 0
        while (item := await items.next()) is not None:
            total_b += len(item.text) if isinstance(item, ValueText) else 0
        assert total_b >= size_b

    tracemalloc.start()
    try:
        now(there_and_back())
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()

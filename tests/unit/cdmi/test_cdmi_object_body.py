"""Bodies of data objects that come in pieces say what ``json`` reads in them at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import read_all
from onedata.errors import MalformedData
from op_worker.http.cdmi.bodies.decoding import decoder_for
from op_worker.http.cdmi.bodies.members import Encoding, parse_json_object
from op_worker.http.cdmi.bodies.object_body import IncomingObject
from op_worker.http.cdmi.refusals import Refused
from tests.support.pieces import Pieces

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "value", "\u017c", ""]), VALUES, max_size=5)


async def received(raw: bytes, size: int, *, settled: bool) -> tuple[Mapping[str, Any], bytes | None]:
    """Return the members, and the text of the value."""
    spools = Spools(None, Inline(), memory_b=3, reserve_b=0)
    async with IncomingObject(Pieces(raw, size), 10000, spools) as incoming:
        await incoming.begin()
        if settled:
            await incoming.settle()
        text = await read_all(incoming.value(decoder_for(Encoding.JSON)), 10000)
        return incoming.members, text if incoming.has_value else None


def run(work: Any) -> Any:
    """Run a coroutine that never really waits; return its result or its failure."""
    results: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(results.append)
    return results[0]


def at_once(raw: bytes) -> dict[str, Any] | None:
    """What the reader of whole bodies makes of it; ``None`` when it refuses."""
    try:
        return dict(parse_json_object(raw))
    except MalformedData:
        return None


@given(OBJECTS, st.integers(1, 40), st.booleans(), st.booleans(), st.sampled_from([None, 1]))
def test_members_and_value_are_what_json_reads(
    sent: dict[str, Any], size: int, settled: bool, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(sent, ensure_ascii=ascii_only, indent=indent).encode()
    members, text = run(received(raw, size, settled=settled))
    whole = dict(members) if text is None else {**members, "value": json.loads(text)}
    assert whole == json.loads(raw)


@given(OBJECTS, st.data(), st.integers(1, 40), st.booleans())
def test_damaged_body_is_refused_when_it_is_refused_at_once(
    sent: dict[str, Any], data: st.DataObject, size: int, settled: bool
) -> None:
    raw = bytearray(json.dumps(sent, ensure_ascii=data.draw(st.booleans())).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    damage = st.binary(max_size=2) | st.sampled_from([b'"', b"\\", b","])
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(damage)
    expected, found = at_once(bytes(raw)), run(received(bytes(raw), size, settled=settled))
    if isinstance(found, Failure):
        assert found.check(MalformedData)
        assert expected is None or bytes(raw).count(b'"value"') > 1
        return
    members, text = found
    if expected is None:  # a number beyond all bounds may stay text
        assert text is not None and at_once(b'{"value":' + text + b"}") is None
    else:
        assert {name: value for name, value in expected.items() if name != "value"} == members


@pytest.mark.parametrize("raw", [b"", b" \r\n", b"{}", b"\xef\xbb\xbf{ }"])
def test_nothing_is_an_empty_object(raw: bytes) -> None:
    for size in (1, 9):
        assert run(received(raw, size, settled=False)) == ({}, None)


@pytest.mark.parametrize(
    "raw", [b"[]", b"1", b'"value"', b"null", b"{}{}", b'{"value":1,"value":2}', b"{", b"\xef\xbb\xbf"]
)
def test_what_is_no_object_or_has_two_values_is_malformed(raw: bytes) -> None:
    for size in (1, 9):
        assert run(received(raw, size, settled=True)).check(MalformedData)


def test_last_of_equal_members_counts() -> None:
    assert run(received(b'{"a":1,"value":"x","a":2}', 3, settled=False)) == ({"a": 2}, b'"x"')


@ensureDeferred
async def test_json_besides_the_value_is_bounded_and_the_value_is_not() -> None:
    long = json.dumps({"value": "x" * 30000}).encode()
    async with IncomingObject(Pieces(long, 999), 100, Spools(None, Inline())) as incoming:
        await incoming.begin()
        assert len(await read_all(incoming.value(decoder_for(Encoding.UTF8)), 30000) or b"") == 30000
    for raw in (b'{"a":"' + b"x" * 200, b"{" + b" " * 200, b'{"' + b"k" * 200, b'{"value":1' + b" " * 200):
        async with IncomingObject(Pieces(raw, 9), 100, Spools(None, Inline())) as incoming:
            with pytest.raises(Refused) as refusal:
                await incoming.begin()
                await incoming.settle()
        assert refusal.value.status == 413

"""JSON in pieces says the same as JSON at once, wherever it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.json_stream.events import Event, InvalidJson, JsonTooLong, Key, Mark, Piece, Scalar, Take
from op_worker.json_stream.grammar import unescaped, whole
from op_worker.json_stream.reader import MAX_DEPTH, JsonReader

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)
SPACED = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])
ENDS = (Mark.END_ARRAY, Mark.END_OBJECT)


def chunks(raw: bytes, cuts: list[int]) -> Iterator[bytes]:
    """Cut into chunks of the given sizes, again and again."""
    at = index = 0
    while at < len(raw):
        yield raw[at : at + cuts[index % len(cuts)]]
        at += cuts[index % len(cuts)]
        index += 1


def read(raw: bytes, cuts: list[int], reader: JsonReader | None = None) -> list[Event]:
    reader = reader or JsonReader()
    events = [event for chunk in chunks(raw, cuts) for event in reader.feed(chunk)]
    return events + reader.finish()


def taking(take: Take) -> JsonReader:
    """A reader that takes every member the same way."""
    return JsonReader(lambda _: take)


def built(events: Iterator[Event]) -> Any:
    """Make the value that begins with the next event."""
    return _built(next(events), events)


def _built(event: Event, events: Iterator[Event]) -> Any:
    if isinstance(event, Scalar):
        return event.value
    if event is Mark.ARRAY:
        return [_built(each, events) for each in iter(lambda: next(events), Mark.END_ARRAY)]
    assert event is Mark.OBJECT
    found = {}
    for key in iter(lambda: next(events), Mark.END_OBJECT):
        assert isinstance(key, Key)
        found[key.name] = built(events)
    return found


def rendered(value: Any, spaced: tuple[str, str], *, ascii_only: bool) -> bytes:
    return json.dumps(value, separators=spaced, ensure_ascii=ascii_only).encode()


def accepts(raw: bytes) -> bool:
    """Whether ``json`` takes it, with what cannot be sent back refused as everywhere."""

    def refuse(_: str) -> None:
        raise ValueError

    def finite(text: str) -> float:
        if float(text) in (float("inf"), float("-inf")):
            raise ValueError
        return float(text)

    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=refuse, parse_float=finite)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


@given(VALUES, CUTS, SPACED, st.booleans())
def test_any_value_cut_anywhere_is_read_as_json_reads_it(
    value: Any, cuts: list[int], spaced: tuple[str, str], ascii_only: bool
) -> None:
    raw = rendered(value, spaced, ascii_only=ascii_only)
    assert built(iter(read(raw, cuts))) == json.loads(raw)


@given(VALUES, CUTS, SPACED, st.booleans())
def test_text_is_handed_on_exactly_as_it_was_sent(
    value: Any, cuts: list[int], spaced: tuple[str, str], ascii_only: bool
) -> None:
    sent = rendered(value, spaced, ascii_only=ascii_only).strip()
    raw = b'{"a": 1, "value" : ' + sent + b' , "b" : [2]}'
    events = read(raw, cuts, JsonReader(lambda path: Take.TEXT if path == ("value",) else Take.EVENTS))
    pieces = [event for event in events if isinstance(event, Piece)]
    assert b"".join(piece.text for piece in pieces) == sent
    assert [piece.is_last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert whole(sent) == json.loads(sent)
    rest = [event for event in events if not isinstance(event, Piece)]
    middle = [Mark.OBJECT, Key("a"), Scalar(1), Key("value"), Key("b")]
    assert rest == [*middle, Mark.ARRAY, Scalar(2), Mark.END_ARRAY, Mark.END_OBJECT]


@given(st.text(st.characters(codec="utf-8")), CUTS, st.booleans())
def test_every_piece_of_a_string_is_text_by_itself(text: str, cuts: list[int], ascii_only: bool) -> None:
    raw = b'{"value":' + rendered(text, (",", ":"), ascii_only=ascii_only) + b"}"
    events = read(raw, cuts, taking(Take.PIECES))
    pieces = [event for event in events if isinstance(event, Piece)]
    assert "".join(unescaped(piece.text) for piece in pieces) == text
    assert pieces[-1].is_last


@given(VALUES, st.data(), CUTS)
def test_damaged_json_is_refused_when_json_refuses_it(
    value: Any, data: st.DataObject, cuts: list[int]
) -> None:
    raw = bytearray(rendered(value, (",", ":"), ascii_only=data.draw(st.booleans())))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(
        st.binary(max_size=2) | st.sampled_from(b'"\\,:]}'.split())
    )
    for take in (Take.EVENTS, Take.TEXT):
        document = b'{"value":' + bytes(raw) + b"}"
        reader = taking(take)
        try:
            read(document, cuts, reader)
        except InvalidJson:
            assert not accepts(document)
        else:
            assert accepts(document) or (take is Take.TEXT and b"e" in document.lower())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}x",
        b"{}{}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":01}',
        b'{"a":1.}',
        b'{"a":tru}',
        b'{"a":1' + b"0" * 5000 + b"}",
        b'{"a" 1}',
        b'{"a":1,}',
        b"[1,]",
        b"[,]",
        b"[1 2]",
        b"[1}",
        b'{"a":1]',
        b'{1:"a"}',
        b'["\x00"]',
        b'["\\x"]',
        b'["\\u12g4"]',
        b'["\\ud800"]',
        b'["\\ud800\\u0041"]',
        b'["\\ud800x"]',
        b'["\\udc00\\ud800"]',
        b'{"\\udfff":1}',
        b'["\xff"]',
        b'["\xed\xa0\x80"]',
        b'["\xc3',
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b'["a',
        b"nul",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH,
    ],
)
def test_what_is_no_storable_json_is_refused_however_it_is_cut(raw: bytes) -> None:
    for take in (Take.EVENTS, Take.PIECES):
        for size in (1, 2, 3, 7, 10000):
            with pytest.raises(InvalidJson):
                read(raw, [size], taking(take))


@pytest.mark.parametrize(
    "inner", [b"[1,]", b"[1 ,\n]", b'{"a":1,}', b"[[1],[2,]]", b'{"a":[{"b":1,}],"c":1}', b"[NaN,1]"]
)
def test_runs_that_are_passed_over_are_checked_too(inner: bytes) -> None:
    for before in (b"", b"1,"):
        for size in (1, 5, 10000):
            raw = b'{"v":[' + before + inner + b",2]}"
            with pytest.raises(InvalidJson):
                read(raw, [size], taking(Take.TEXT))


def test_depth_is_bounded_the_same_in_text_and_in_events() -> None:
    for depth in (MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 3):
        raw = b'{"v":[0,' + b"[1," * (depth - 2) + b"2" + b"]" * (depth - 2) + b",3]}"
        for take in (Take.EVENTS, Take.TEXT):
            for size in (3, 10000):
                if depth < MAX_DEPTH:
                    read(raw, [size], taking(take))
                else:
                    with pytest.raises(InvalidJson):
                        read(raw, [size], taking(take))


@pytest.mark.parametrize("raw", [b"1", b" -0.5e3 ", b'"a"', b"null", b"\xef\xbb\xbf[]"])
def test_any_value_may_stand_at_the_top(raw: bytes) -> None:
    assert built(iter(read(raw, [1]))) == json.loads(raw.decode("utf-8-sig"))


@pytest.mark.parametrize("text", [b"1e999", b"1" + b"0" * 5000, b"[" * 100000 + b"]" * 100000])
def test_text_that_is_no_value_for_us_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJson):
        whole(text)


def test_pieces_are_taken_of_the_strings_in_an_array_too() -> None:
    events = read(b'{"value":["ab",1,""]}', [100], taking(Take.PIECES))
    assert events[2:-1] == [Mark.ARRAY, Piece(b"ab", True), Scalar(1), Piece(b"", True), Mark.END_ARRAY]


def test_members_are_told_apart_by_the_keys_that_lead_to_them() -> None:
    asked: list[tuple[str, ...]] = []

    def take(path: tuple[str, ...]) -> Take:
        asked.append(path)
        return Take.EVENTS

    read(b'{"a":{"b":[{"c":1},[{"d":2}]]},"e":3}', [4], JsonReader(take))
    assert asked == [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "d"), ("e",)]


def test_nothing_longer_than_allowed_is_held() -> None:
    with pytest.raises(JsonTooLong):
        read(b'{"a":"' + b"x" * 101 + b'"}', [7], JsonReader(max_string_b=100))
    with pytest.raises(JsonTooLong):
        read(b'{"' + b"x" * 101 + b'":1}', [7], JsonReader(max_string_b=100))
    with pytest.raises(JsonTooLong):
        read(b"[" + b"1," * 50 + b"1]", [7], JsonReader(limit_b=100))
    long = b'{"a":"' + b"x" * 5000 + b'","b":1}'
    assert (
        read(long, [7], JsonReader(lambda _: Take.PIECES, limit_b=20, max_string_b=5))[-1] is Mark.END_OBJECT
    )

"""Frames: any split of the stream, limits before buffering, any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.wire.errors import BadFrame, FrameTooLarge
from cluster_worker.wire.frames import HEAD_B, Frame, FrameDecoder, encode_frame

LIMIT_B = 64
frames = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=LIMIT_B - HEAD_B),
)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def drain(decoder: FrameDecoder) -> tuple[list[Frame], bool]:
    """The frames there are, and whether the stream broke."""
    found: list[Frame] = []
    try:
        while (frame := decoder.next_frame()) is not None:
            found.append(frame)
    except BadFrame:
        return found, True
    return found, False


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 1000), max_size=8))
def test_frames_survive_any_split_of_the_stream(sent: list[Frame], cuts: list[int]) -> None:
    decoder = FrameDecoder(LIMIT_B)
    received: list[Frame] = []
    for piece in pieces_of(b"".join(encode_frame(*frame) for frame in sent), cuts):
        decoder.feed(piece)
        received += drain(decoder)[0]
        assert decoder.buffered_b < 4 + LIMIT_B
    assert received == sent
    assert decoder.buffered_b == 0


@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=8))
def test_any_bytes_give_the_same_frames_however_they_are_split(data: bytes, cuts: list[int]) -> None:
    whole = FrameDecoder(LIMIT_B)
    whole.feed(data)
    expected = drain(whole)
    decoder = FrameDecoder(LIMIT_B)
    found: list[Frame] = []
    broken = False
    for piece in pieces_of(data, cuts):
        decoder.feed(piece)
        more, broken = drain(decoder)
        found += more
        assert decoder.buffered_b < 4 + LIMIT_B
    assert (found, broken) == expected


def test_length_over_the_limit_is_refused_before_its_body_comes() -> None:
    decoder = FrameDecoder(LIMIT_B)
    decoder.feed((LIMIT_B + 1).to_bytes(4, "big"))
    with pytest.raises(FrameTooLarge, match="65 bytes is over the limit of 64"):
        decoder.next_frame()
    assert decoder.buffered_b == 0


def test_length_shorter_than_a_head_is_a_bad_frame() -> None:
    decoder = FrameDecoder(LIMIT_B)
    decoder.feed((HEAD_B - 1).to_bytes(4, "big"))
    with pytest.raises(BadFrame, match="shorter than its head"):
        decoder.next_frame()


def test_broken_decoder_stays_broken_and_keeps_nothing() -> None:
    decoder = FrameDecoder(LIMIT_B)
    decoder.feed(b"\xff" * 8)
    for _ in range(2):
        with pytest.raises(FrameTooLarge):
            decoder.next_frame()
        decoder.feed(encode_frame(1, 3, 1, b"\x90"))
        assert decoder.buffered_b == 0


def test_limit_may_grow_between_two_frames() -> None:
    decoder = FrameDecoder(HEAD_B)
    big = encode_frame(1, 32, 1, b"x" * 100)
    decoder.feed(encode_frame(0, 1, 0, b"") + big)
    assert decoder.next_frame() == Frame(0, 1, 0, b"")
    decoder.limit_b = 200
    assert decoder.next_frame() == Frame(1, 32, 1, b"x" * 100)

"""Packets and keys of SFTP; all of it pure."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.storage.helpers.sftp.failures import refusal
from op_worker.storage.helpers.sftp.host_keys import HostKey
from op_worker.storage.helpers.sftp.packets import (
    Attributes,
    BadPacketError,
    Framing,
    Packet,
    Reader,
    encoded,
    extensions,
    text,
)
from op_worker.storage.types import BadStorageError

PACKETS = st.builds(Packet, st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=40))


@given(st.lists(PACKETS, max_size=5), st.data())
def test_packets_survive_any_split_of_the_stream(packets: list[Packet], data: st.DataObject) -> None:
    stream = b"".join(map(encoded, packets))
    cut = data.draw(st.integers(0, len(stream)))
    framing = Framing()
    assert framing.feed(stream[:cut]) + framing.feed(stream[cut:]) == packets


@pytest.mark.parametrize("length_b", [0, 4, 2**31])
def test_a_length_that_no_packet_has_is_refused_at_once(length_b: int) -> None:
    with pytest.raises(BadPacketError):
        Framing().feed(struct.pack("!I", length_b))


@given(
    st.builds(
        Attributes,
        size_b=st.none() | st.integers(0, 2**64 - 1),
        uid=st.just(7),
        gid=st.just(8),
        mode=st.none() | st.integers(0, 2**32 - 1),
    )
)
def test_attributes_are_read_as_they_are_written(attributes: Attributes) -> None:
    assert Reader(attributes.encode()).attributes() == attributes


def test_times_and_extensions_of_attributes_are_read_and_passed_over() -> None:
    body = struct.pack("!IIII", 0x80000008, 10, 20, 1) + text(b"a") + text(b"b") + text(b"next")
    reader = Reader(body)
    assert reader.attributes() == Attributes(atime_s=10, mtime_s=20)
    assert reader.text() == b"next"


@pytest.mark.parametrize("body", [b"", b"\0\0\0\5abc", b"\0\0"])
def test_a_body_that_ends_too_early_is_a_bad_packet(body: bytes) -> None:
    with pytest.raises(BadPacketError):
        Reader(body).text()


def test_extensions_are_read_with_their_versions() -> None:
    assert extensions(text(b"x@y") + text(b"1") + text(b"z") + text(b"2")) == {b"x@y": b"1", b"z": b"2"}


def test_a_status_of_success_is_no_refusal_and_words_may_be_missing() -> None:
    assert refusal(struct.pack("!I", 0)) is None
    refused = refusal(struct.pack("!I", 4))
    assert refused is not None and (refused.code, refused.words) == (4, "")


def test_a_key_is_known_by_its_line_and_by_its_fingerprint() -> None:
    line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f someone"
    key = HostKey.parse(line)
    assert key.algorithms == (b"ssh-ed25519",)
    assert HostKey.parse(key.fingerprint) == HostKey(key.fingerprint)
    assert key.fingerprint.startswith("SHA256:")


@pytest.mark.parametrize("line", ["", "nonsense", "ssh-rsa", "ssh-rsa !!", "MD5:aa:bb"])
def test_a_key_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(BadStorageError, match="hostKey"):
        HostKey.parse(line)

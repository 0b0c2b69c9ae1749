"""File ids: GUID and CDMI object id, both directions, against the published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.ids import (
    USER_ROOT_SPACE_ID,
    FileGuid,
    FileUuid,
    InvalidFileId,
    ShareId,
    SpaceId,
    UserId,
    archives_root_uuid,
    crc16,
    decode_object_id,
    encode_object_id,
    is_space_root,
    is_user_root,
    new_id,
    space_root_guid,
    tmp_uuid,
    trash_uuid,
    user_root_guid,
)

PARTS = st.text(
    st.characters(exclude_characters="#", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda text: len(text.encode()) < 60)
GUIDS = st.builds(FileGuid, PARTS.map(FileUuid), PARTS.map(SpaceId), st.none() | PARTS.map(ShareId))

VECTORS = [
    ("guid#123#abc", "Z3VpZCMxMjMjYWJj", "00000000000CDBDA677569642331323323616263"),
    (
        "guid#space_0d0d0d#0d0d0d",
        "Z3VpZCNzcGFjZV8wZDBkMGQjMGQwZDBk",
        "000000000018A27C677569642373706163655F30643064306423306430643064",
    ),
    (
        "shareGuid#abc#def#ghi",
        "c2hhcmVHdWlkI2FiYyNkZWYjZ2hp",
        "0000000000150393736861726547756964236162632364656623676869",
    ),
]


@pytest.mark.parametrize(("text", "packed", "object_id"), VECTORS)
def test_published_ids_are_written_and_read(text: str, packed: str, object_id: str) -> None:
    guid = FileGuid.unpack(packed)
    assert guid == FileGuid.from_object_id(object_id)
    assert (guid.text, guid.pack(), guid.object_id()) == (text, packed, object_id)


@given(GUIDS)
def test_guid_survives_packing_and_unpacking(guid: FileGuid) -> None:
    assert FileGuid.unpack(guid.pack()) == guid


@given(GUIDS)
def test_guid_survives_the_object_id_form(guid: FileGuid) -> None:
    assert FileGuid.from_object_id(guid.object_id()) == guid
    assert FileGuid.from_object_id(guid.object_id().lower()) == guid


@given(st.binary(min_size=1, max_size=320))
def test_object_id_carries_any_bytes_with_crc_and_length(opaque: bytes) -> None:
    object_id = encode_object_id(opaque)
    assert decode_object_id(object_id) == opaque
    data = bytes.fromhex(object_id)
    assert data[5] == len(opaque) % 256
    assert crc16(data[:6] + b"\0\0" + data[8:]) == int.from_bytes(data[6:8], "big")


def test_crc_has_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(b"") == 0


@given(st.binary(max_size=90))
def test_checksum_is_the_polynomial_division_bit_by_bit(data: bytes) -> None:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    assert crc16(data) == crc


def test_object_id_refuses_more_than_its_limit() -> None:
    with pytest.raises(InvalidFileId):
        encode_object_id(b"x" * 321)


def test_crc_and_length_of_foreign_ids_are_not_checked() -> None:
    assert decode_object_id("0000000000FFFFFF616263") == b"abc"


@given(st.text(max_size=80) | st.text("0123456789abcdefABCDEF", max_size=80))
def test_any_text_as_object_id_is_read_or_refused(text: str) -> None:
    try:
        FileGuid.from_object_id(text)
    except InvalidFileId:
        pass


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda b: encode_object_id(b or b"x")))
def test_any_text_as_guid_is_read_or_refused(text: str) -> None:
    try:
        FileGuid.unpack(text)
    except InvalidFileId:
        pass


@given(st.binary(min_size=1, max_size=80))
def test_object_id_of_anything_but_files_is_refused(opaque: bytes) -> None:
    if not opaque.startswith((b"guid#", b"shareGuid#")):
        with pytest.raises(InvalidFileId):
            FileGuid.from_object_id(encode_object_id(opaque))


@pytest.mark.parametrize(
    "opaque", [b"guid#a", b"guid#a#b#c", b"guid##b", b"guid#a#", b"shareGuid#a#b", b"guid#\xff#b", b"#a#b"]
)
def test_texts_with_missing_or_extra_parts_are_refused(opaque: bytes) -> None:
    with pytest.raises(InvalidFileId):
        FileGuid.from_object_id(encode_object_id(opaque))


@pytest.mark.parametrize(
    "text",
    ["", "00", "00 00", "0" * 16, "01" + "0" * 20, "0000000001" + "0" * 20, "é" * 20, "00" * 329, "0x" * 10],
)
def test_object_ids_with_a_bad_header_are_refused(text: str) -> None:
    with pytest.raises(InvalidFileId):
        decode_object_id(text)


def test_special_directories_have_their_published_ids() -> None:
    space = SpaceId("0d0d0d")
    assert space_root_guid(space).text == "guid#space_0d0d0d#0d0d0d"
    assert is_space_root(space_root_guid(space).uuid)
    assert not is_space_root(FileUuid("0d0d0d"))
    assert trash_uuid(space) == "trash_0d0d0d"
    assert tmp_uuid(space) == "tmp_0d0d0d"
    assert archives_root_uuid(space) == "archives_root_0d0d0d"


def test_user_root_lies_in_the_virtual_space() -> None:
    guid = user_root_guid(UserId("u1"))
    assert guid == FileGuid(FileUuid("userRoot_u1"), USER_ROOT_SPACE_ID)
    assert is_user_root(guid.uuid)
    assert USER_ROOT_SPACE_ID == "rootDirVirtualSpaceId"


def test_new_id_is_hex_of_sixteen_given_bytes() -> None:
    assert new_id(lambda count: bytes(range(count))) == "000102030405060708090a0b0c0d0e0f"

"""Ids of everything in Onedata, and the two written forms of a file's id.

A file is known by its uuid, its space and, when it is seen through a share, the share. The GUID writes these
as URL-safe base64 of ``guid#<uuid>#<space>`` or ``shareGuid#<uuid>#<space>#<share>``; the CDMI object id
wraps the same text in a header of eight bytes (see ``encode_object_id``) and writes it in hex.
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Callable
from struct import unpack
from typing import NewType

from attrs import frozen

SpaceId = NewType("SpaceId", str)
UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
ProviderId = NewType("ProviderId", str)
StorageId = NewType("StorageId", str)
FileUuid = NewType("FileUuid", str)
ShareId = NewType("ShareId", str)
TokenId = NewType("TokenId", str)
ObjectId = NewType("ObjectId", str)

MAX_OPAQUE_B = 320
"""The most bytes that an object id may wrap."""

USER_ROOT_SPACE_ID = SpaceId("rootDirVirtualSpaceId")
"""Stands in the place of the space in the id of a user's root directory."""

_SPACE_ROOT = "space_"
_LINK, _OF_FILE = "link_", "_file_"
_NAMELESS, _COPIES = _UNLISTED = ("nameless_", "copies_")
_HEADER_B = 8
_TO_STANDARD_BASE64 = str.maketrans("-_", "+/", "+/")


class InvalidFileId(ValueError):
    """The text is not the id of a file."""


@frozen
class FileGuid:
    """The id of a file, a directory or a link; ``share_id`` is set when it is seen through a share.

    No part is empty or holds a ``#``.
    """

    uuid: FileUuid
    space_id: SpaceId
    share_id: ShareId | None = None

    @property
    def text(self) -> str:
        """The plain text that both written forms wrap."""
        if self.share_id is None:
            return f"guid#{self.uuid}#{self.space_id}"
        return f"shareGuid#{self.uuid}#{self.space_id}#{self.share_id}"

    def pack(self) -> str:
        """The GUID: URL-safe base64 without padding."""
        packed = binascii.b2a_base64(self.text.encode(), newline=False).rstrip(b"=")
        return packed.decode().replace("+", "-").replace("/", "_")

    @classmethod
    def unpack(cls, packed: str) -> FileGuid:
        """Read a GUID; the inverse of ``pack``.

        Raises:
            InvalidFileId: it is not one.
        """
        padding = "=" * (-len(packed) % 4)
        try:
            data = binascii.a2b_base64(packed.translate(_TO_STANDARD_BASE64) + padding, strict_mode=True)
        except ValueError as bad:
            raise InvalidFileId("not URL-safe base64") from bad
        return cls._from_text(data)

    def object_id(self) -> ObjectId:
        """The CDMI object id, the ``fileId`` of REST: upper-case hex."""
        return encode_object_id(self.text.encode())

    @classmethod
    def from_object_id(cls, object_id: str) -> FileGuid:
        """Read a CDMI object id; the inverse of ``object_id``.

        Raises:
            InvalidFileId: it is not one, or not of a file.
        """
        return cls._from_text(decode_object_id(object_id))

    @classmethod
    def _from_text(cls, data: bytes) -> FileGuid:
        try:
            kind, *parts = data.decode().split("#")
        except UnicodeDecodeError as bad:
            raise InvalidFileId("not UTF-8") from bad
        if (kind, len(parts)) not in {("guid", 2), ("shareGuid", 3)} or not all(parts):
            raise InvalidFileId("neither guid#… nor shareGuid#…")
        share_id = ShareId(parts[2]) if len(parts) == 3 else None
        return cls(FileUuid(parts[0]), SpaceId(parts[1]), share_id)


def encode_object_id(opaque: bytes) -> ObjectId:
    """Wrap up to 320 bytes in a CDMI object id.

    Layout: ``00`` · enterprise number ``000000`` · ``00`` · length of ``opaque`` modulo 256 (1 byte) · CRC-16
    of the whole with this field zero (2 bytes, big endian) · ``opaque``.

    Raises:
        InvalidFileId: ``opaque`` is longer.
    """
    if len(opaque) > MAX_OPAQUE_B:
        raise InvalidFileId(f"longer than {MAX_OPAQUE_B} bytes")
    length = len(opaque) % 256
    # leading zeros do not change this CRC, so it starts at the length
    checksum = crc16(bytes((length, 0, 0)) + opaque)
    return ObjectId(f"{length:012X}{checksum:04X}{opaque.hex().upper()}")


def decode_object_id(object_id: str) -> bytes:
    """Unwrap a CDMI object id; only the two fixed bytes of the header are checked, as elsewhere in Onedata.

    Raises:
        InvalidFileId: it is not hex, has no header, or wraps nothing or more than 320 bytes.
    """
    try:
        data = binascii.unhexlify(object_id)
    except ValueError as bad:
        raise InvalidFileId("not hex") from bad
    if not _HEADER_B < len(data) <= _HEADER_B + MAX_OPAQUE_B or data[0] or data[4]:
        raise InvalidFileId("not the layout of an object id")
    return data[_HEADER_B:]


def _crc16_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_OF_BYTE = tuple(map(_crc16_of_byte, range(256)))
_OF_WORD = array("H", [_OF_BYTE[low & 0xFF ^ high] ^ (low >> 8) for high in range(256) for low in _OF_BYTE])


def crc16(data: bytes) -> int:
    """CRC-16/ARC: polynomial 0x8005 reflected, initial value 0, no final xor.

    Two bytes at a time: listings show an id for each file, and a leading zero changes nothing.
    """
    words = unpack(f"<{(len(data) + 1) // 2}H", data if len(data) % 2 == 0 else b"\0" + data)
    crc = 0
    for word in words:
        crc = _OF_WORD[crc ^ word]
    return crc


def space_root_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the root directory of a space."""
    return FileUuid(_SPACE_ROOT + space_id)


def space_root_guid(space_id: SpaceId) -> FileGuid:
    """The id of the root directory of a space."""
    return FileGuid(space_root_uuid(space_id), space_id)


def is_space_root(uuid: FileUuid) -> bool:
    """Whether this is the uuid of a space's root directory."""
    return uuid.startswith(_SPACE_ROOT)


def link_uuid(link: str, file: str) -> FileUuid:
    """The uuid of a further name (hard link) of ``file``; ``link`` is 32 hex digits."""
    return FileUuid(f"{_LINK}{link}{_OF_FILE}{file}")


def split_link_uuid(uuid: str) -> tuple[str, FileUuid] | None:
    """Return the hex digits and the file's uuid of a hard link's uuid; ``None`` for any other uuid."""
    if not uuid.startswith(_LINK):
        return None
    link, between, file = uuid.removeprefix(_LINK).partition(_OF_FILE)
    return (link, FileUuid(file)) if between else None


def trash_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the directory that collects what is being removed from a space."""
    return FileUuid(f"trash_{space_id}")


def nameless_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the directory of a space for files that have an id and no name."""
    return FileUuid(_NAMELESS + space_id)


def copies_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the directory of a space for copies that are not whole yet."""
    return FileUuid(_COPIES + space_id)


def is_unlisted(guid: FileGuid) -> bool:
    """Whether this is a directory that no entry of another directory leads to."""
    if not guid.uuid.startswith(_UNLISTED):  # nearly always, and quick
        return False
    return guid.uuid in (nameless_uuid(guid.space_id), copies_uuid(guid.space_id))


def tmp_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the directory of a space for deleted files that are still open."""
    return FileUuid(f"tmp_{space_id}")


def archives_root_uuid(space_id: SpaceId) -> FileUuid:
    """The uuid of the directory that holds the archives of a space."""
    return FileUuid(f"archives_root_{space_id}")


def user_root_guid(user_id: UserId) -> FileGuid:
    """The id of ``/`` as this user sees it: the directory of their spaces."""
    return FileGuid(FileUuid(f"userRoot_{user_id}"), USER_ROOT_SPACE_ID)


def is_user_root(uuid: FileUuid) -> bool:
    """Whether this is the uuid of some user's ``/``."""
    return uuid.startswith("userRoot_")


def new_id(random_bytes: Callable[[int], bytes]) -> str:
    """A new id of 32 hex digits; ``random_bytes(n)`` returns ``n`` bytes from a good source."""
    return random_bytes(16).hex()

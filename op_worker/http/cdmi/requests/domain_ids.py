"""Object IDs of domains and of what is in them. Pure."""

from __future__ import annotations

from onedata.ids import InvalidFileId, ObjectId, decode_object_id, encode_object_id

_OPAQUE = b"domain#"
_OPAQUE_AT = 16  # an object ID begins with 16 digits that are no part of what it wraps
_OPAQUE_HEX = _OPAQUE.hex()


def domain_object_id(names: tuple[str, ...]) -> ObjectId:
    """Return the object ID of what is at a path below ``cdmi_domains``; it is the path itself, wrapped."""
    return encode_object_id(_OPAQUE + "#".join(names).encode())


def names_of_object_id(object_id: str) -> tuple[str, ...] | None:
    """Return the path that an object ID wraps; ``None`` for the ID of anything but a domain's part."""
    if object_id[_OPAQUE_AT : _OPAQUE_AT + len(_OPAQUE_HEX)].lower() != _OPAQUE_HEX:
        return None
    try:
        text = decode_object_id(object_id).removeprefix(_OPAQUE).decode()
    except (InvalidFileId, UnicodeDecodeError):
        return None
    return tuple(text.split("#")) if text else ()

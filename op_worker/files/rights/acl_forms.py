"""Access control lists as JSON: the form of REST, and the one of CDMI with words and hexadecimal. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from onedata.errors import BadData, Errno, Posix
from op_worker.files.acl import (
    COMPOUNDS,
    MOST_ENTRIES,
    SPECIAL,
    SYNCHRONIZE,
    WRITE_OWNER,
    Ace,
    AceFlag,
    AceKind,
    Acl,
)
from op_worker.files.model import Json
from op_worker.files.operations import Operation
from op_worker.files.rules.moments import parse_moment, timestamp

KEY = "acl"
"""The ``key`` of complaints."""
_REST = ("aceType", "identifier", "aceFlags", "aceMask")
_CDMI = ("acetype", "identifier", "aceflags", "acemask")
_EXPIRATION = "expiration"
"""The one member that an entry may have besides: an ISO 8601 time."""
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_MOST_BITS = 0xFFFFFFFF

_KIND_WORDS = {kind.name: int(kind) for kind in AceKind}
FLAG_WORDS = {
    "NO_FLAGS": 0,
    "OBJECT_INHERIT": int(AceFlag.FILE_INHERIT),
    "FILE_INHERIT": int(AceFlag.FILE_INHERIT),
    "CONTAINER_INHERIT": int(AceFlag.DIRECTORY_INHERIT),
    "DIRECTORY_INHERIT": int(AceFlag.DIRECTORY_INHERIT),
    "NO_PROPAGATE": int(AceFlag.NO_PROPAGATE),
    "INHERIT_ONLY": int(AceFlag.INHERIT_ONLY),
    "IDENTIFIER_GROUP": int(AceFlag.IDENTIFIER_GROUP),
    "INHERITED": int(AceFlag.INHERITED),
}
_DELETING = ("DELETE_OBJECT", "DELETE_SUBCONTAINER")
"""Two words of one bit, which come together."""
MASK_WORDS = {
    "READ_OBJECT": int(Operation.READ_OBJECT),
    "LIST_CONTAINER": int(Operation.LIST_CONTAINER),
    "WRITE_OBJECT": int(Operation.WRITE_OBJECT),
    "ADD_OBJECT": int(Operation.ADD_OBJECT),
    "APPEND_DATA": int(Operation.ADD_SUBCONTAINER),
    "ADD_SUBCONTAINER": int(Operation.ADD_SUBCONTAINER),
    "READ_METADATA": int(Operation.READ_METADATA),
    "WRITE_METADATA": int(Operation.WRITE_METADATA),
    "EXECUTE": int(Operation.TRAVERSE),
    "TRAVERSE_CONTAINER": int(Operation.TRAVERSE),
    "DELETE_OBJECT": int(Operation.DELETE_CHILD),
    "DELETE_SUBCONTAINER": int(Operation.DELETE_CHILD),
    "READ_ATTRIBUTES": int(Operation.READ_ATTRIBUTES),
    "WRITE_ATTRIBUTES": int(Operation.WRITE_ATTRIBUTES),
    "WRITE_RETENTION": int(Operation.WRITE_RETENTION),
    "WRITE_RETENTION_HOLD": int(Operation.WRITE_RETENTION_HOLD),
    "DELETE": int(Operation.DELETE),
    "READ_ACL": int(Operation.READ_ACL),
    "WRITE_ACL": int(Operation.WRITE_ACL),
    "WRITE_OWNER": WRITE_OWNER,
    "SYNCHRONIZE": SYNCHRONIZE,
    **COMPOUNDS,
}


def parse_rest_acl(value: Json) -> Acl:
    """Read ``[{"aceType", "identifier", "aceFlags", "aceMask"}, …]`` with flags and mask as numbers.

    An entry may have an ``expiration``, too.

    Raises: BadData(``acl``) for another shape; Posix(E2BIG) for more than ``MOST_ENTRIES`` entries.
    """
    return tuple(_rest_ace(number, _members(number, one, _REST)) for number, one in _entries(value))


def rest_acl(acl: Acl) -> list[Json]:
    """Return a list in the form of ``parse_rest_acl``."""
    return [
        {
            "aceType": ace.kind.name,
            "identifier": ace.who,
            "aceFlags": ace.flags,
            "aceMask": ace.mask,
            **_expiration(ace),
        }
        for ace in acl
    ]


def parse_cdmi_acl(value: Json) -> Acl:
    """Read ``[{"acetype", "identifier", "aceflags", "acemask"}, …]``: ``0x…`` or words with commas.

    Flags and masks may also be arrays of words; words and ``0x…`` mix. An entry may have an ``expiration``,
    too. Raises: as ``parse_rest_acl``.
    """
    return tuple(_cdmi_ace(number, _members(number, one, _CDMI)) for number, one in _entries(value))


def cdmi_acl(acl: Acl, names: Mapping[str, str]) -> list[Json]:
    """Return a list in the form of ``parse_cdmi_acl``, in hexadecimal.

    Args:
        names: of users and groups; an identifier with a name is written ``Name#id``.
    """
    return [
        {
            "acetype": f"0x{ace.kind:X}",
            "identifier": f"{names[ace.who]}#{ace.who}" if ace.who in names else ace.who,
            "aceflags": f"0x{ace.flags:X}",
            "acemask": f"0x{ace.mask:X}",
            **_expiration(ace),
        }
        for ace in acl
    ]


def _entries(value: Json) -> Sequence[tuple[int, Json]]:
    if not isinstance(value, list | tuple):
        raise BadData(KEY, "an ACL is an array of entries")
    if len(value) > MOST_ENTRIES:
        raise Posix(Errno.E2BIG, f"an ACL may have up to {MOST_ENTRIES} entries; this one has {len(value)}")
    return list(enumerate(value, 1))


def _members(number: int, entry: Json, names: tuple[str, ...]) -> Mapping[str, Json]:
    if not isinstance(entry, Mapping) or set(entry) - {_EXPIRATION} != set(names):
        raise _bad(number, f"it is an object of exactly {', '.join(names)}, and {_EXPIRATION} if it ends")
    return entry


def _expires_ms(number: int, entry: Mapping[str, Json]) -> int | None:
    """Return when an entry ends; ``None`` for never."""
    if _EXPIRATION not in entry:
        return None
    text = entry[_EXPIRATION]
    try:
        return parse_moment(text if isinstance(text, str) else "")
    except ValueError as error:
        raise _bad(number, f"{_EXPIRATION}: {error}") from None


def _expiration(ace: Ace) -> dict[str, Json]:
    return {} if ace.expires_ms is None else {_EXPIRATION: timestamp(ace.expires_ms / 1000)}


def _rest_ace(number: int, entry: Mapping[str, Json]) -> Ace:
    kind, who, flags, mask = (entry[name] for name in _REST)
    if not isinstance(kind, str) or kind not in _KIND_WORDS:
        raise _bad(number, "aceType is ALLOW, DENY or AUDIT")
    return Ace(
        AceKind(_KIND_WORDS[kind]),
        _identifier(number, who),
        _number(number, "aceFlags", flags),
        _number(number, "aceMask", mask),
        _expires_ms(number, entry),
    )


def _cdmi_ace(number: int, entry: Mapping[str, Json]) -> Ace:
    kind, who, flags, mask = (entry[name] for name in _CDMI)
    if not isinstance(kind, str):
        raise _bad(number, "acetype is text")
    kind_bits = _bits(number, "acetype", kind, _KIND_WORDS)
    if kind_bits not in _KIND_WORDS.values():
        raise _bad(number, "acetype is ALLOW (0x0), DENY (0x1) or AUDIT (0x2)")
    return Ace(
        AceKind(kind_bits),
        _identifier(number, who),
        _bits(number, "aceflags", flags, FLAG_WORDS),
        _bits(number, "acemask", mask, MASK_WORDS),
        _expires_ms(number, entry),
    )


def _identifier(number: int, who: Json) -> str:
    """Return a special identifier, or the id at the end of ``Name#id``."""
    if not isinstance(who, str) or not (bare := who.rpartition("#")[2].strip()):
        raise _bad(number, "identifier is a user, a group or a special identifier such as OWNER@")
    return bare.upper() if bare.upper() in SPECIAL else bare


def _number(number: int, name: str, value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_BITS:
        raise _bad(number, f"{name} is a number of up to 32 bits")
    return value


def _bits(number: int, name: str, value: Json, words: Mapping[str, int]) -> int:
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise _bad(number, f"{name} is 0x… or words joined by commas")
    found = [word.strip() for word in given if isinstance(word, str)]
    bits = 0
    for word in found:
        if _HEX.fullmatch(word):
            bits |= int(word, 16)
        elif word in words:
            bits |= words[word]
        else:
            raise _bad(number, f"{name} has an unknown word {word[:64]!r}")
    if len({word for word in found if word in _DELETING}) == 1:
        raise _bad(number, f"{' and '.join(_DELETING)} come together or not at all")
    return bits


def _bad(number: int, problem: str) -> BadData:
    return BadData(KEY, f"entry {number}: {problem}")

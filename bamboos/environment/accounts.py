"""System accounts of a site's machines, as the files that hold them; pure.

Numbers follow from names alone, so that all nodes and clients of a site agree on who owns a file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

FIRST_NUMBER, NUMBERS = 10000, 50000
ALWAYS = (("root", 0), ("nobody", 65534))


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Names of users, and of groups with their members."""

    users: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


def number(name: str) -> int:
    """The uid of a user or the gid of a group of this name."""
    return zlib.crc32(name.encode()) % NUMBERS + FIRST_NUMBER


def passwd_file(accounts: Accounts, others: Iterable[tuple[str, int]] = ALWAYS) -> str:
    """The text of ``/etc/passwd``; each user has a group of the same name and number."""
    users = [*others, *((name, number(name)) for name in accounts.users)]
    return "".join(
        f"{name}:x:{uid}:{uid}:{name}:{_home(name)}:/bin/sh\n" for name, uid in dict(users).items()
    )


def group_file(accounts: Accounts, others: Iterable[tuple[str, int]] = ALWAYS) -> str:
    """The text of ``/etc/group``."""
    own = dict([*others, *((name, number(name)) for name in accounts.users)])
    named = {name: members for name, members in accounts.groups.items() if name not in own}
    lines = [f"{name}:x:{gid}:\n" for name, gid in own.items()]
    return "".join(
        [*lines, *(f"{name}:x:{number(name)}:{','.join(members)}\n" for name, members in named.items())]
    )


def _home(name: str) -> str:
    return "/root" if name == "root" else f"/home/{name}"

"""What a permission decision is about: who asks, and what counts of the file. Pure."""

from __future__ import annotations

from attrs import frozen

from op_worker.files.acl import Acl
from op_worker.files.rights.immutability import Keeping
from op_worker.files.rights.protection import Protected


@frozen
class Subject:
    """The user in one space. ``is_member`` is false for guests, who come through shares only.

    ``groups`` are all groups that he belongs to, also through other groups.
    """

    user_id: str | None
    privileges: frozenset[str] = frozenset()
    is_space_owner: bool = False
    is_member: bool = True
    is_readonly: bool = False
    groups: frozenset[str] = frozenset()


@frozen
class FileFacts:
    """What counts of a file.

    ``parent_mode`` is its directory's mode, for the sticky bit. ``acl`` decides instead of ``mode`` when
    there is one. ``protections`` are flags of the file and of directories above, where any are set;
    ``keepings`` are retention periods and holds likewise. ``now_ms`` is asked for where any of that, or an
    entry of the list, ends some time.
    """

    owner: str
    mode: int
    is_directory: bool
    is_space_root: bool = False
    parent_mode: int = 0
    acl: Acl | None = None
    protections: tuple[Protected, ...] = ()
    keepings: tuple[Keeping, ...] = ()
    now_ms: int = 0

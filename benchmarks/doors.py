"""What operations on files are as requests, at each door: CDMI, REST, and WebDAV for the peers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from attrs import field, frozen

OPERATIONS = ("get", "put", "stat", "list", "create", "rename", "remove")
"""``put`` makes a new file with content, ``create`` an empty one; ``list`` shows attributes."""


@frozen
class Call:
    """A request; ``path`` is whole, with its query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = None


@frozen
class Door:
    """The requests of one door for files below one folder; paths are relative to it.

    Attributes:
        headers: of every request.
        make_folder: makes a directory below an existing one.
        learn: takes the answer of what made a file or a directory, by path.
    """

    name: str
    host: str
    port: int
    headers: Mapping[str, str]
    get: Callable[[str], Call]
    put: Callable[[str, bytes], Call]
    stat: Callable[[str], Call]
    list: Callable[[str], Call]
    rename: Callable[[str, str], Call] | None
    remove: Callable[[str], Call]
    make_folder: Callable[[str], Call]
    learn: Callable[[str, bytes], None] = lambda path, answer: None

    @property
    def operations(self) -> Sequence[str]:
        """What can be asked for, of ``OPERATIONS``."""
        return [name for name in OPERATIONS if name != "rename" or self.rename is not None]


def cdmi(host: str, port: int, token: str, space: str) -> Door:
    """The CDMI door; ``list`` shows names, of 1 000 children at most."""
    base = f"/cdmi/{quote(space)}/"
    version = {"X-CDMI-Specification-Version": "1.1.1"}
    as_object = {**version, "Content-Type": "application/cdmi-object"}
    return Door(
        name="cdmi",
        host=host,
        port=port,
        headers={"X-Auth-Token": token},
        get=lambda path: Call("GET", base + path),
        put=lambda path, body: Call("PUT", base + path, {}, body),
        stat=lambda path: Call("GET", f"{base}{path}?objectID;objectName;metadata", version),
        list=lambda path: Call("GET", f"{base}{path}/?children", version),
        rename=lambda old, new: Call(
            "PUT", base + new, as_object, json.dumps({"move": f"/{space}/{old}"}).encode()
        ),
        remove=lambda path: Call("DELETE", base + path),
        make_folder=lambda path: Call("PUT", f"{base}{path}/"),
    )


def rest(host: str, port: int, token: str, root_id: str) -> Door:
    """The REST door. It has no renames, and shows files by their ids only.

    Args:
        root_id: of the space.
    """
    ids: dict[str, str] = {}

    def learn(path: str, answer: bytes) -> None:
        ids[path] = json.loads(answer)["fileId"]

    base = "/api/v3/oneprovider/data/"
    octets = {"Content-Type": "application/octet-stream"}
    listed = "&".join(
        f"attributes={name}" for name in ("fileId", "name", "type", "size", "mtime", "posixPermissions")
    )
    return Door(
        name="rest",
        host=host,
        port=port,
        headers={"X-Auth-Token": token},
        get=lambda path: Call("GET", f"{base}{ids[path]}/content"),
        put=lambda path, body: Call("PUT", f"{base}{root_id}/path/{path}", octets, body),
        stat=lambda path: Call("GET", base + ids[path]),
        list=lambda path: Call("GET", f"{base}{ids[path]}/children?limit=1000&{listed}"),
        rename=None,
        remove=lambda path: Call("DELETE", f"{base}{root_id}/path/{path}"),
        make_folder=lambda path: Call("PUT", f"{base}{root_id}/path/{path}?type=DIR"),
        learn=learn,
    )


def webdav(host: str, port: int) -> Door:
    """A WebDAV server without credentials."""
    return Door(
        name="webdav",
        host=host,
        port=port,
        headers={},
        get=lambda path: Call("GET", f"/{path}"),
        put=lambda path, body: Call("PUT", f"/{path}", {}, body),
        stat=lambda path: Call("PROPFIND", f"/{path}", {"Depth": "0"}),
        list=lambda path: Call("PROPFIND", f"/{path}", {"Depth": "1"}),
        rename=lambda old, new: Call(
            "MOVE", f"/{old}", {"Destination": f"https://{host}:{port}/{new}", "Overwrite": "F"}
        ),
        remove=lambda path: Call("DELETE", f"/{path}"),
        make_folder=lambda path: Call("MKCOL", f"/{path}"),
    )

"""WebDAV on four servers: two that write inside files, in their two ways, and two that do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

from op_worker.storage.helper import (
    StorageHelper,
    StoragePath,
    SupportsCapacity,
    SupportsClosing,
    SupportsDirectories,
    SupportsOpenWithFirst,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
    SupportsWholeWrites,
)
from op_worker.storage.helpers.webdav.helper import WEBDAV
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.apache_dav import apache_dav
from tests.support.storages.making import made_helper
from tests.support.storages.nginx_dav import nginx_dav
from tests.support.storages.sabre_dav import sabre_dav
from tests.support.storages.web_folder import WebFolder
from tests.support.storages.wsgi_dav import wsgi_dav

POWERS = frozenset(
    {
        SupportsRename,
        SupportsDirectories,
        SupportsOpenWithFirst,
        SupportsWholeWrites,
        SupportsScanning,
        SupportsUsers,
        SupportsCapacity,
        SupportsClosing,
    }
)


def webdav(server: WebFolder, url: str, range_writes: str, **more: str) -> Any:
    """Make a helper as the registry does, for the root at ``url``."""
    credentials: Mapping[str, str] = {"credentialsType": "none"}
    if server.user:
        credentials = {"credentialsType": "basic", "credentials": f"{server.user}:{server.password}"}
    arguments = {"endpoint": url, "rangeWriteSupport": range_writes, **more}
    return made_helper(WEBDAV, arguments, credentials)


def make_place(server: WebFolder, name: str) -> str:
    """Make a folder on the server by a client that is not ours; return its URL."""
    url = f"{server.url}{name}/"
    server.session.request("MKCOL", url, timeout=30)
    return url


def read_back(server: WebFolder, name: str, path: StoragePath) -> bytes:
    answer = server.session.get(f"{server.url}{name}/{quote(path)}", timeout=30)
    answer.raise_for_status()
    return answer.content


def address(server: WebFolder) -> tuple[str, int]:
    split = urlsplit(server.url)
    return str(split.hostname), int(split.port or 80)


def enrolled(name: str, start: Any, range_writes: str, lacks: Mapping[str, str]) -> Enrolled:
    def make(server: WebFolder, place: str) -> StorageHelper:
        return cast(StorageHelper, webdav(server, make_place(server, place), range_writes))

    def make_at(server: WebFolder, place: str, host: str, port: int) -> StorageHelper:
        split = urlsplit(make_place(server, place))
        url = urlunsplit((split.scheme, f"{host}:{port}", split.path, "", ""))
        return cast(StorageHelper, webdav(server, url, range_writes))

    return Enrolled(
        name=name,
        server=start,
        make=make,
        powers=POWERS,
        lacks=dict(lacks),
        reads_back=read_back,
        address=address,
        make_at=make_at,
    )


UNTOLD = {"telling its room": "the server has no quota properties"}
WHOLE_ONLY = {
    "far offsets": "files of more than 64 MiB are not sent anew to change something inside",
    **UNTOLD,
}
ENROLLED = (
    enrolled("webdav on Apache", apache_dav, "moddav", UNTOLD),
    enrolled(
        "webdav on sabre/dav", sabre_dav, "sabredav", {"far offsets": "its tags are hashes of whole files"}
    ),
    enrolled(
        "webdav on nginx", nginx_dav, "none", {**WHOLE_ONLY, "names of dots": "its lists leave them out"}
    ),
    enrolled(
        "webdav on wsgidav",
        wsgi_dav,
        "none",
        {
            **WHOLE_ONLY,
            "parallel writes": "readers see a file that is put while it is not whole yet",
            "line breaks in names": "it decodes the target of a move before it takes it apart",
            "odd characters in names": "it decodes the target of a move before it takes it apart",
        },
    ),
)

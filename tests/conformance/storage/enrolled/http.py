"""Files of a web server, read only."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from op_worker.storage.helper import (
    StorageHelper,
    StoragePath,
    SupportsClosing,
    SupportsOpenWithFirst,
    SupportsUsers,
)
from op_worker.storage.helpers.http.helper import HTTP
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.making import made_helper
from tests.support.storages.nginx_files import PORT, nginx_files
from tests.support.storages.web_folder import WebFolder


def http(url: str, **more: str) -> Any:
    """Make a helper as the registry does, for the root at ``url``."""
    credentials = {"credentialsType": "none"}
    return made_helper(HTTP, {"endpoint": url, **more}, credentials)


def make(server: WebFolder, name: str) -> StorageHelper:
    (server.folder / name).mkdir(exist_ok=True)
    return cast(StorageHelper, http(f"{server.url}{name}/"))


def make_at(server: WebFolder, name: str, host: str, port: int) -> StorageHelper:
    (server.folder / name).mkdir(exist_ok=True)
    return cast(StorageHelper, http(f"http://{host}:{port}/{name}/"))


def put(server: WebFolder, name: str, path: StoragePath, data: bytes) -> None:
    file = server.folder / name / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def read_back(server: WebFolder, name: str, path: StoragePath) -> bytes:
    answer = server.session.get(f"{server.url}{name}/{quote(path)}", timeout=30)
    answer.raise_for_status()
    return answer.content


ENROLLED = (
    Enrolled(
        name="http on nginx",
        server=nginx_files,
        make=make,
        powers=frozenset({SupportsOpenWithFirst, SupportsUsers, SupportsClosing}),
        lacks={
            "writing": "a web server is read only",
            "writing in place": "a web server is read only",
            "cutting": "a web server is read only",
            "extending": "a web server is read only",
        },
        puts=put,
        reads_back=read_back,
        address=lambda server: (server.url.split("/")[2].partition(":")[0], PORT),
        make_at=make_at,
    ),
)

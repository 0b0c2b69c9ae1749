"""The REST door over a real file service, and a client for it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from argon2 import PasswordHasher
from attrs import frozen
from twisted.internet import reactor

from cluster_worker.http.tree import Branch, Fork
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import WallClock, system_wall_clock
from cluster_worker.runtime.pool import Inline
from onedata.errors import TokenInvalid, Unauthorized
from onedata.ids import ProviderId, SpaceId, StorageId, UserId, space_root_guid
from onedata.privileges import SPACE_ADMIN, SPACE_MEMBER
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.auth.throttle import FailureThrottle
from op_worker.changes.service import ChangeStreams
from op_worker.downloads.service import Downloads
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.http.downloads.door import DownloadDoor
from op_worker.http.rest.door import RestDoor
from op_worker.http.shares.door import ShareDoor
from op_worker.http.tus.door import TusDoor
from op_worker.search.service import Searching
from op_worker.shares.passwords import SharePasswords
from op_worker.shares.service import Shares
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.uploads.service import Uploads
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import SpaceInfo, UserInfo

PROVIDER, ELSEWHERE = ProviderId("a" * 32), ProviderId("b" * 32)
SPACE, FOREIGN, UNSUPPORTED = SpaceId("1" * 32), SpaceId("2" * 32), SpaceId("3" * 32)
STORAGE = StorageId("4" * 32)
OWNER, MEMBER, STRANGER = UserId("5" * 32), UserId("6" * 32), UserId("7" * 32)
BASE = "/api/v3/oneprovider"
SPACE_ROOT = space_root_guid(SPACE).object_id()
FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

CALLERS = {
    "owner": Caller(OWNER),
    "member": Caller(MEMBER),
    "stranger": Caller(STRANGER),
    "readonly": Caller(OWNER, DataLimits(readonly=True, paths=(), object_ids=())),
}


class KnownTokens:
    """Knows four tokens, which are their callers' names."""

    async def authenticate(self, token: str, **circumstances: object) -> Caller:
        if token not in CALLERS:
            raise Unauthorized(TokenInvalid())
        return CALLERS[token]


@frozen
class Reply:
    """An answer of the door."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """Id and details of the error in the body."""
        error = self.json["error"]
        assert error["description"]
        return {"id": error["id"], **error.get("details", {})}


class RestClient:
    """Asks the door; each request on its own connection."""

    def __init__(self, served: Any, downloads: Downloads | None = None) -> None:
        self._served = served
        self.downloads = downloads

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "owner",
        body: bytes | None = None,
        value: Any = None,
        base: str = BASE,
        **headers: str,
    ) -> Reply:
        """Send a request to ``path`` below ``base``; ``value`` is sent as JSON."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if value is not None:
            body = json.dumps(value).encode()
            named.setdefault("Content-Type", "application/json")
        if body is not None:
            named["Content-Length"] = str(len(body))
        if token is not None:
            named["X-Auth-Token"] = token
        return await self.ask_anywhere(method, base + path, named, body)

    async def ask_anywhere(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send a request to any path."""
        lines = [f"{method} {path} HTTP/1.1", "Host: example.org:8443"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        answer = await self._served.ask("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        return Reply(answer.status, answer.headers, answer.body)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.ask("GET", path, **options)

    async def put(self, path: str, **options: Any) -> Reply:
        return await self.ask("PUT", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.ask("POST", path, **options)

    async def delete(self, path: str, **options: Any) -> Reply:
        return await self.ask("DELETE", path, **options)

    async def create(self, path: str, content: bytes | None = None, **options: Any) -> str:
        """Make a file at ``path`` in the space, with parents; return its id."""
        made = await self.put(
            f"/data/{SPACE}/path/{quote(path)}?create_parents=true",
            body=content or b"",
            Content_Type="application/octet-stream",
            **options,
        )
        assert made.status == 201, made
        file_id: str = made.json["fileId"]
        return file_id

    async def issue_code(self, path: str) -> str:
        """Return a download code of the owner for a file in the space."""
        assert self.downloads is not None
        owner = CALLERS["owner"]
        stat = await self.downloads.files.stat(owner, Target(space_root_guid(SPACE), (path,)))
        return await self.downloads.issue(owner, stat.guid, follows=True)

    async def make_directory(self, path: str) -> str:
        made = await self.put(f"/data/{SPACE}/path/{quote(path)}?type=DIR&create_parents=true")
        assert made.status == 201, made
        file_id: str = made.json["fileId"]
        return file_id


def make_zone() -> StaticZone:
    """A space with two members, one they may not see, one that is supported elsewhere."""
    members = {OWNER: SPACE_ADMIN, MEMBER: SPACE_MEMBER}
    here, elsewhere = {PROVIDER: 1 << 40}, {ELSEWHERE: 1 << 40}
    return StaticZone(
        [
            UserInfo(user_id=OWNER, full_name="Owner", spaces=(SPACE, UNSUPPORTED)),
            UserInfo(user_id=MEMBER, full_name="Member", spaces=(SPACE,)),
            UserInfo(user_id=STRANGER, full_name="Stranger"),
        ],
        [
            SpaceInfo(
                space_id=SPACE,
                name="Science",
                supports=here,
                provider_names={PROVIDER: "krk"},
                owners=frozenset({OWNER}),
                user_privileges=members,
            ),
            SpaceInfo(space_id=FOREIGN, name="Secret", supports=here),
            SpaceInfo(space_id=UNSUPPORTED, name="Far", supports=elsewhere, user_privileges=members),
        ],
        provider_id=PROVIDER,
        provider_name="krk",
    )


async def make_files(zone: StaticZone, wall_clock: WallClock = system_wall_clock) -> FileService:
    """A file service over memory."""
    engine = MemoryEngine()
    storages = Storages(engine, Inline(), reactor)
    await storages.load()
    await storages.add_storage(StorageRecord(storage_id=STORAGE, name="memory", type="memory"))
    for space_id in (SPACE, FOREIGN):
        await storages.support(space_id, STORAGE, 1 << 40)
    return FileService(
        engine,
        zone,
        storages,
        clock=reactor,
        wall_clock=wall_clock,
        random_bytes=os.urandom,
        node_name="worker@test",
    )


def make_searching(files: FileService, zone: StaticZone) -> Searching:
    """Searching over indexes in memory; its service is not started."""
    return Searching(files.context, zone.supported_spaces, None, thread=Inline(), clock=reactor)


def make_shares(files: FileService, wall_clock: WallClock = system_wall_clock) -> Shares:
    """Shares whose passwords are hashed fast."""
    passwords = SharePasswords(reactor, Inline(), os.urandom, FAST_HASHER, FailureThrottle())
    return Shares(files, passwords, wall_clock=wall_clock)


def make_downloads(files: FileService) -> Downloads:
    """Downloads over the same store."""
    return Downloads(
        files,
        files.context.engine,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
    )


def make_uploads(files: FileService) -> Uploads:
    """Uploads over the same store."""
    return Uploads(
        files,
        files.context.engine,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        blocking=Inline(),
    )


def make_tree(files: FileService, zone: StaticZone, **options: Any) -> Branch:
    """The doors at their places."""
    root = Branch()
    shares = options.pop("shares", None) or make_shares(files)
    downloads = options.pop("downloads", None) or make_downloads(files)
    options.setdefault("changes", ChangeStreams(files.context, reactor))
    options.setdefault("searching", make_searching(files, zone))
    fork = Fork(RestDoor(files, zone, KnownTokens(), shares=shares, downloads=downloads, **options).resource)
    fork.mount("tus", TusDoor(make_uploads(files), files, KnownTokens()).resource)
    root.mount(BASE, fork)
    root.mount("share", ShareDoor(files, shares, downloads).resource)
    root.mount("download", DownloadDoor(downloads).resource)
    return root

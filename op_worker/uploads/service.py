"""Resumable uploads: begun, gone on with at any node, finished in one commit, forgotten when they expire.

The record of an upload is in its space's scope and is announced to nobody; its bytes are in a staging
file. An upload is its owner's alone. Of two uploads to one name the first to finish makes the file; the
other is told EEXIST and stays complete, unless it may overwrite: then the last one wins as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Delete,
    Engine,
    Link,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.streams import ByteStream
from cluster_worker.tenure.tenure import Tenure
from onedata.errors import BadValueTooHigh, NotFound, OnedataError, UploadOffsetMismatch
from onedata.ids import SpaceId, new_id
from op_worker.auth.caller import Caller
from op_worker.files.content.in_place import MAX_SIZE_B
from op_worker.files.service import FileService
from op_worker.files.stored.digests import Digest
from op_worker.files.translation import translated
from op_worker.uploads.records import RECORD, UPLOADS, Upload, UploadTarget, key_of
from op_worker.uploads.turns import Stored, Turns
from op_worker.uploads.writing import LIFETIME_S, Writing

SWEEP_S = 300.0
_PAGE = 200


class Uploads(OrderedService):
    """Uploads of every space.

    Args:
        random_bytes: makes the ids of uploads.
    """

    _log = Logger()

    def __init__(
        self,
        files: FileService,
        engine: Engine,
        *,
        wall_clock: WallClock,
        random_bytes: Callable[[int], bytes],
        blocking: Blocking,
    ) -> None:
        super().__init__()
        self._files, self._engine = files, engine
        self._wall_clock, self._random_bytes = wall_clock, random_bytes
        self._writing = Writing(engine, files.growing, blocking, wall_clock)
        self._turns = Turns(files.context.lives, wall_clock, self._writing.save)

        works = files.context.works
        works.one("sweep of uploads", self._sweep_all, SWEEP_S).setServiceParent(self)

    @translated
    async def create(self, caller: Caller, becomes: UploadTarget, size_b: int, metadata: str) -> Upload:
        """Begin an upload of ``size_b`` bytes; one of none is finished at once.

        Raises: Posix(EEXIST, EACCES, ENOSPC, ENOENT...); BadValueTooHigh.
        """
        if size_b > MAX_SIZE_B:
            raise BadValueTooHigh("Upload-Length", MAX_SIZE_B)
        storage_id = await self._files.growing.begin(caller, becomes.target, becomes.options, size_b)
        assert caller.user_id is not None, "guests were refused"
        upload = Upload(
            upload_id=new_id(self._random_bytes),
            owner=caller.user_id,
            becomes=becomes,
            size_b=size_b,
            storage_id=storage_id,
            metadata=metadata,
            expires_s=self._wall_clock() + LIFETIME_S,
        )
        steps: list[Step] = [
            Link(UPLOADS, upload.upload_id.encode(), upload.key.encode()),
            Put(upload.key, RECORD, upload.encode(), expect=ABSENT),
        ]
        await self._engine.commit(Scope(upload.space_id), Batch(steps))
        if size_b:
            return upload
        stored = Stored(upload, ABSENT + 1)
        await self._writing.finish(caller, stored)
        return stored.upload

    @translated
    async def get(self, caller: Caller, space_id: SpaceId, upload_id: str) -> Upload:
        """Return an upload of the caller. Raises: NotFound."""
        return (await self._load(caller, space_id, upload_id)).upload

    @translated
    async def write(
        self,
        caller: Caller,
        space_id: SpaceId,
        upload_id: str,
        offset_b: int,
        body: ByteStream,
        *,
        length_b: int | None,
        digests: Sequence[Digest] = (),
    ) -> Upload:
        """Add a body at ``offset_b``, which must be where the upload ends; the last byte makes the file.

        When making the file fails, the upload stays complete, and an empty body tries again.

        Raises: NotFound; UploadBusy; UploadOffsetMismatch; BadValueTooHigh for more than was announced;
        ChecksumMismatch, with which nothing was added; StreamBroken, with which what came was added;
        Posix(ENOSPC...).
        """
        stored = await self._load(caller, space_id, upload_id)
        upload = stored.upload
        if offset_b != upload.offset_b:
            raise UploadOffsetMismatch(upload.offset_b)
        if length_b is not None and offset_b + length_b > upload.size_b:
            raise BadValueTooHigh("Content-Length", upload.size_b - offset_b)
        if upload.is_finished:
            return upload
        async with self._turns.turn(stored):
            if not upload.is_complete:
                await self._writing.write(stored, self._turns, body, digests)
            if stored.upload.is_complete:
                await self._writing.finish(caller, stored)
        return stored.upload

    @translated
    async def remove(self, caller: Caller, space_id: SpaceId, upload_id: str) -> None:
        """Forget an upload and its bytes; a file that it became stays. Raises: NotFound; UploadBusy."""
        stored = await self._load(caller, space_id, upload_id)
        async with self._turns.turn(stored):
            await self._forget(stored)

    async def sweep(self, space_id: SpaceId) -> None:
        """Forget what expired in a space, and bytes that no record speaks of.

        Raises: PersistenceUnavailable; OnedataError.
        """
        after: bytes | None = None
        scope = Scope(space_id)
        while items := await self._engine.page(scope, UPLOADS, after, _PAGE, [RECORD]):
            for item in items:
                after = item.entry.name
                document = item.documents.get(RECORD)
                if document is None:
                    continue
                stored = Stored(Upload.decode(document.data), document.revision)
                if stored.upload.expires_s <= self._wall_clock():
                    await self._forget(stored)

        async def is_wanted(name: str) -> bool:
            return bool(await self._engine.get(scope, key_of(name), [RECORD]))

        await self._files.growing.sweep(space_id, is_wanted)

    async def _load(self, caller: Caller, space_id: SpaceId, upload_id: str) -> Stored:
        """Return an upload of the caller; those of others, and expired ones, are not there for him."""
        if space_id not in self._files.growing.spaces():
            raise NotFound()
        found = await self._engine.get(Scope(space_id), key_of(upload_id), [RECORD])
        if RECORD not in found:
            raise NotFound()
        upload = Upload.decode(found[RECORD].data)
        if upload.owner != caller.user_id or upload.expires_s <= self._wall_clock():
            raise NotFound()
        return Stored(upload, found[RECORD].revision)

    async def _forget(self, stored: Stored) -> None:
        upload = stored.upload
        growing, steps = self._files.growing, _forgotten(stored)
        removal = None
        if not upload.is_finished:
            removal = await growing.discarding(upload.space_id, upload.storage_id, upload.upload_id)
            steps += removal.put()
        try:
            await self._engine.commit(Scope(upload.space_id), Batch(steps))
        except PreconditionFailed:
            return  # it goes on, or another node was quicker
        if removal is not None:
            await growing.discard(upload.space_id, removal)

    async def _sweep_all(self, tenure: Tenure) -> None:
        for space_id in self._files.growing.spaces():
            tenure.require()
            try:
                await self.sweep(space_id)
            except (PersistenceError, OnedataError) as error:
                self._log.warn("uploads of {space} are swept later: {error}", space=space_id, error=error)


def _forgotten(stored: Stored) -> list[Step]:
    """Return the steps that end a record which is as it was read."""
    upload = stored.upload
    return [
        Check(upload.key, RECORD, stored.revision),
        Unlink(UPLOADS, upload.upload_id.encode(), upload.key.encode()),
        Delete(upload.key),
    ]

"""Large objects, sent in parts at the same time."""

from __future__ import annotations

from twisted.internet.defer import DeferredSemaphore
from twisted.logger import Logger

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.s3.answers import bare, completed_tag, completion, upload_id
from op_worker.storage.helpers.s3.service import S3Service

PART_B = 8 << 20
"""Servers want at least 5 MiB; an object has at most 10 000 parts."""
WORTH_IT_B = 2 * PART_B
"""From this size on an object is sent in parts."""
_PARTS_AT_ONCE = 4
_MOST_PARTS = 10_000
_log = Logger()


async def put_in_parts(service: S3Service, key: str, data: bytes) -> str:
    """Make or replace an object; return its tag. When this fails or is cancelled, nothing of it stays."""
    url = service.place.url(key, {"uploads": ""})
    async with service.asking("POST", url, key, body=b"") as answer:
        upload = upload_id(await answer.content())
    try:
        tags = await _sent(service, key, upload, data)
        return await _completed(service, key, upload, completion(tags))
    except BaseException:
        await _abort(service, key, upload)
        raise


async def _sent(service: S3Service, key: str, upload: str, data: bytes) -> list[str]:
    """Send all parts, few at a time; return their tags."""
    turns, view = DeferredSemaphore(_PARTS_AT_ONCE), memoryview(data)
    part_b = max(PART_B, -(-len(data) // _MOST_PARTS))

    async def send(number: int) -> str:
        await turns.acquire()
        try:
            url = service.place.url(key, {"partNumber": str(number), "uploadId": upload})
            part = bytes(view[(number - 1) * part_b : number * part_b])
            return bare((await service.ask("PUT", url, key, body=part)).header("etag"))
        finally:
            turns.release()

    return list(await together(send(number) for number in range(1, -(-len(data) // part_b) + 1)))


async def _completed(service: S3Service, key: str, upload: str, body: bytes) -> str:
    url = service.place.url(key, {"uploadId": upload})
    async with service.asking("POST", url, key, {"Content-Type": "application/xml"}, body) as answer:
        return completed_tag(await answer.content(), answer.head, key)


async def _abort(service: S3Service, key: str, upload: str) -> None:
    try:
        await service.ask("DELETE", service.place.url(key, {"uploadId": upload}), key)
    except StorageError as error:
        _log.warn("parts of an upload stay on the server: {error}", error=error)

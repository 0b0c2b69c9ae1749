"""Resumable uploads and archives over every engine and storage."""

from __future__ import annotations

import io
import os
import tarfile
from typing import Any

from pytest_twisted import ensureDeferred

from op_worker.downloads.service import Downloads
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.storage.helper import StoragePath, SupportsDirectories
from op_worker.uploads.records import UploadTarget
from op_worker.uploads.service import Uploads
from tests.support.spaces import ROOT, SPACE, Site, body, owner, path, read

NEW = CreateOptions(create_parents=True)


async def drained(stream: Any) -> bytes:
    """Read a stream to its end and close it."""
    pieces = []
    while piece := await stream.read():
        pieces.append(piece)
    await stream.close()
    return b"".join(pieces)


@ensureDeferred
async def test_an_archive_goes_on_where_it_was_left(files: FileService, site: Site) -> None:
    contents = {f"t/d{n % 3}/f{n}": os.urandom(40_000 * n) for n in range(12)}
    for name, data in contents.items():
        await files.replace_content(owner, path(name), body(data), expected_b=None, create=NEW)
    downloads = Downloads(files, site.engine, wall_clock=site.wall_clock, random_bytes=os.urandom)
    guid = (await files.stat(owner, path("t"))).guid
    code = await downloads.issue(owner, guid, follows=False)
    record, top = await downloads.redeem(code)
    whole = await drained(downloads.archive(record, top))
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        for name, data in contents.items():
            assert archive.extractfile(name).read() == data  # type: ignore[union-attr]  # a file
    for position_b in (1, len(whole) // 2, len(whole) - 2000):
        stream, total_b = await downloads.resumed(record, top, position_b)
        assert total_b == len(whole)
        assert await drained(stream) == whole[position_b:]
    left = downloads.archive(record, top)
    await left.read()
    await left.close()
    await downloads.sweep()


@ensureDeferred
async def test_an_upload_in_parts_becomes_the_file(files: FileService, site: Site) -> None:
    uploads = Uploads(
        files,
        site.engine,
        wall_clock=site.wall_clock,
        random_bytes=os.urandom,
        blocking=site.blocking,
    )
    data = os.urandom(3_000_000)
    becomes = UploadTarget(parent=ROOT, name="f", mode=0o640)
    upload = await uploads.create(owner, becomes, len(data), "")
    for first in range(0, len(data), 700_000):
        part = data[first : first + 700_000]
        upload = await uploads.write(owner, SPACE, upload.upload_id, first, body(part), length_b=len(part))
    assert upload.is_finished
    assert await read(files, path("f")) == data
    stat = await files.stat(owner, path("f"))
    assert (stat.mode, stat.local_b) == (0o640, len(data))
    await uploads.sweep(SPACE)
    staging = StoragePath(f"{SPACE}/.__onedata__staging")
    if isinstance(site.helper, SupportsDirectories):
        assert list(await site.helper.list_directory(staging)) == []
    await uploads.remove(owner, SPACE, upload.upload_id)
    assert await read(files, path("f")) == data

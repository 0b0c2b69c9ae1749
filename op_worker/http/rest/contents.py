"""Operations on the content of files."""

from __future__ import annotations

from cluster_worker.http.answers import send_nothing
from onedata.errors import BadData, Errno, Posix
from op_worker.files.model import ContentReader, FileStat, FileType, Follow, Target
from op_worker.http.conditions import parse_conditions
from op_worker.http.content import ContentAnswer, attachment, request_header, set_digests, set_validators
from op_worker.http.digests import sent_digests, wants_digest
from op_worker.http.rest.calls import RestCall


class _LinkReader:
    """The target of a symbolic link, read as the link's content."""

    def __init__(self, stat: FileStat, data: bytes) -> None:
        self.stat, self._data = stat, data

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return self._data[offset_b : offset_b + size_b]

    async def close(self) -> None:
        """Nothing is open."""


async def get_content(call: RestCall) -> None:
    """Content of a file, whole or in ranges; of a directory, where its archive is."""
    request = call.request
    header = request_header(request)
    conditions = parse_conditions(header)
    try:
        reader = await _open(call)
    except Posix as error:
        if error.errno is not Errno.EISDIR:
            raise
        await _send_to_archive(call)
        return
    request.responseHeaders.setRawHeaders(b"Content-Disposition", [attachment(reader.stat.name)])
    if reader.stat.checksum_sha256 is None and wants_digest(header):
        await _set_measured_digest(call, reader)
    await ContentAnswer(ranges=header("Range"), conditions=conditions).send(request, reader)


async def _set_measured_digest(call: RestCall, reader: ContentReader) -> None:
    """Tell a digest that was computed when the content was verified, to those who ask for one."""
    stat = reader.stat
    if stat.type is FileType.REG:
        sha256 = await call.files.checksums.known(call.caller, Target(stat.guid), stat.content_tag)
        if sha256:
            set_digests(call.request, sha256)


async def _send_to_archive(call: RestCall) -> None:
    """Answer with the place where the archive of a directory is."""
    follow = call.params["follow_symlinks"]
    stat = await call.files.stat(call.caller, call.target, Follow.YES if follow else Follow.NO)
    code = await call.services.downloads.issue(call.caller, stat.guid, follows=follow)
    call.request.setResponseCode(302)
    location = call.url(f"/download/{code}")
    call.request.responseHeaders.setRawHeaders(b"Location", [location.encode("ascii")])
    call.request.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
    call.request.finish()


async def put_content(call: RestCall) -> None:
    """Replace the content, write from an offset on, or append."""
    header = request_header(call.request)
    condition, digests = parse_conditions(header).content, sent_digests(header)
    body, length_b, offset_b = call.request.body, call.request.body_length, call.params["offset"]
    if call.params["append"]:
        if offset_b is not None:
            raise BadData("append", "an append has no offset")
        stat = await call.files.append_content(
            call.caller,
            call.target,
            body,
            expected_b=length_b,
            digests=digests.for_part(),
            condition=condition,
        )
    elif offset_b is not None:
        stat = await call.files.write_content(
            call.caller,
            call.target,
            offset_b,
            body,
            expected_b=length_b,
            digests=digests.for_part(),
            condition=condition,
        )
    else:
        stat, _ = await call.files.replace_content(
            call.caller,
            call.target,
            body,
            expected_b=length_b,
            digests=digests.for_whole(),
            condition=condition,
        )
    set_validators(call.request, stat)
    send_nothing(call.request)


async def resize_content(call: RestCall) -> None:
    """Cut the content, or extend it with zeros."""
    condition = parse_conditions(request_header(call.request)).content
    stat = await call.files.truncate(call.caller, call.target, call.params["size"], condition)
    set_validators(call.request, stat)
    send_nothing(call.request)


async def _open(call: RestCall) -> ContentReader:
    if not call.params["follow_symlinks"]:
        stat = await call.files.stat(call.caller, call.target)
        if stat.type is FileType.SYMLNK:
            return _LinkReader(stat, (stat.symlink_target or "").encode())
    return await call.files.open_content(call.caller, call.target, Follow.YES)

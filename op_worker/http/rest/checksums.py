"""Verifying content: progress and verdict as lines of JSON, as far as the bytes are read."""

from __future__ import annotations

import json

from cluster_worker.http.streaming import write_body
from onedata.errors import OnedataError
from op_worker.files.content.checksums import Verdict, Verification
from op_worker.http.rest.calls import RestCall


class _Report:
    """The lines of one verification, each made when the client takes it."""

    def __init__(self, verification: Verification) -> None:
        self._verification = verification
        self._is_over = False

    async def read(self) -> bytes:
        """Return the next line; the last one holds the verdict, or the error that prevents one."""
        if self._is_over:
            return b""
        verification = self._verification
        try:
            await verification.step()
        except OnedataError as error:
            self._is_over = True
            return _line(error.wrapped())
        if verification.verdict is None:
            return _line({"readBytes": verification.done_b, "size": verification.size_b})
        self._is_over = True
        return _line(_told(verification.verdict))


async def verify_content(call: RestCall) -> None:
    """Read the content from the storage and compare it with its checksum."""
    verification = await call.files.checksums.verify(call.caller, call.target)
    call.request.responseHeaders.setRawHeaders(b"Content-Type", [b"application/x-ndjson"])
    try:
        await write_body(call.request, _Report(verification))
    finally:
        await verification.close()


def _told(verdict: Verdict) -> dict[str, object]:
    known = verdict.known.hex() or None
    return {
        "algorithm": "sha-256",
        "value": verdict.sha256.hex(),
        "contentVersion": verdict.content_version,
        "verified": verdict.is_verified,
        "known": known,
    }


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"

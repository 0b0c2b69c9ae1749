"""Sending bodies of any size in pieces, no faster than the client takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.runtime.streams import ByteStream, StreamBroken

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_log = Logger()


async def write_body(request: StreamingRequest, source: ByteStream) -> None:
    """Send everything that ``source`` gives and finish the answer; set status and headers before.

    The source is not read for HEAD. At most two pieces of it are in memory. When the source fails after
    the first byte was sent, the connection is dropped, so that the client cannot take a part for the whole.

    Raises:
        Exception: what the first read of ``source`` raised; nothing was sent, so it can be answered.
    """
    if request.method == b"HEAD":
        request.finish()
        return
    data = await source.read()
    try:
        while data:
            request.write(data)
            data = await source.read()
            await request.drained()
    except (StreamBroken, CancelledError):
        request.abort()
    except Exception:  # noqa: BLE001 - the head is out, so no other answer is possible than to hang up
        _log.failure("an answer broke off in the middle", failure=Failure())
        request.abort()
    else:
        if not request.is_gone:
            request.finish()

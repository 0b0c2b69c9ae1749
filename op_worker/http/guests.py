"""From the password that came with a request for a share to the guest who asks."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from cluster_worker.http.credentials import basic_from, peer_ip
from cluster_worker.http.errors import HttpError
from onedata.errors import BadSharePassword, Unauthorized
from onedata.ids import ShareId
from op_worker.auth.caller import Caller
from op_worker.shares.passwords import WrongSharePassword
from op_worker.shares.service import Shares

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

PASSWORD_HEADER = b"X-Share-Password"


async def guest_of(
    request: StreamingRequest, shares: Shares, share_id: ShareId, password: str | None
) -> Caller:
    """Return the guest that a request for a share comes from.

    Raises:
        Unauthorized: the password does not fit.
        HttpError: 429 with ``Retry-After``, too many wrong ones came from this address.
    """
    try:
        return await shares.admit(share_id, password, peer_ip(request) or "")
    except WrongSharePassword as refusal:
        if refusal.retry_after_s > 0:
            raise HttpError(429, {b"Retry-After": b"%d" % ceil(refusal.retry_after_s)}) from None
        raise Unauthorized(BadSharePassword()) from None


def password_in_header(request: StreamingRequest) -> str | None:
    """Return the password of ``X-Share-Password``."""
    values = request.requestHeaders.getRawHeaders(PASSWORD_HEADER)
    return values[-1].decode("utf-8", "replace") if values else None


def password_of(request: StreamingRequest) -> str | None:
    """Return the password of ``X-Share-Password``, else of HTTP Basic, whatever the user name."""
    found = password_in_header(request)
    if found is not None:
        return found
    basic = basic_from(request)
    return None if basic is None else basic.password

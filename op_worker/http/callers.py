"""From a request's credentials to the caller, before its body is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cluster_worker.http.credentials import (
    consumer_token_from,
    peer_ip,
    service_token_from,
    token_from,
)
from op_worker.auth.caller import Caller

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


class Authenticator(Protocol):
    """Verifies tokens."""

    async def authenticate(
        self,
        token: str,
        *,
        peer_ip: str | None,
        interface: str,
        consumer_token: str | None,
        service_token: str | None,
    ) -> Caller:
        """Return who asks. Raises: Unauthorized, with the reason."""


async def caller_of(request: StreamingRequest, authenticator: Authenticator) -> Caller:
    """Return the caller of a REST or CDMI request; a guest when no token came.

    Raises:
        Unauthorized: the token is not good here and now.
    """
    token = token_from(request)
    if token is None:
        return Caller.guest()
    caller = await authenticator.authenticate(
        token,
        peer_ip=peer_ip(request),
        interface="rest",
        consumer_token=consumer_token_from(request),
        service_token=service_token_from(request),
    )
    request.user_id = caller.user_id or "-"
    return caller

"""Finding out who asks, from the credentials a request shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import evolve

from cluster_worker.http.credentials import (
    BasicCredentials,
    basic_from,
    consumer_token_from,
    peer_ip,
    service_token_from,
    token_from,
)
from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    BadBasicCredentials,
    BadConsumerToken,
    BadServiceToken,
    BasicAuthDisabled,
    OnedataError,
    Unauthorized,
    UserBlocked,
)
from onedata.tokens.caveats import Interface
from onedata.tokens.subjects import ONEZONE_CLUSTER_ID, Service, ServiceKind, Subject, SubjectKind
from onedata.tokens.verify import RequestContext
from oz_worker.asker import Asker
from oz_worker.passwords import Passwords, WrongPassword
from oz_worker.state import ZoneState
from oz_worker.verification import Parties, TokenVerifier

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

ZONE_SERVICE = Service(ServiceKind.OZ_WORKER, ONEZONE_CLUSTER_ID)


class Authenticator:
    """Turns tokens and passwords into askers."""

    def __init__(
        self, state: ZoneState, verifier: TokenVerifier, passwords: Passwords, wall_clock: WallClock
    ) -> None:
        self._state, self._verifier, self._passwords = state, verifier, passwords
        self._parties = Parties(verifier)
        self._wall_clock = wall_clock

    async def request(self, request: StreamingRequest) -> Asker:
        """Return who asks over REST; an asker who is nobody without credentials.

        A log-in that has to wait gets ``Retry-After``, in seconds, with the usual error.

        Raises: Unauthorized with the reason in ``auth_error``.
        """
        address = peer_ip(request)
        token = token_from(request)
        if token is not None:
            consumer, service = consumer_token_from(request), service_token_from(request)
            return self.token(token, address, Interface.REST, consumer, service)
        basic = basic_from(request)
        if basic is None:
            return Asker(peer_ip=address)
        try:
            return await self._basic(basic, address)
        except WrongPassword as exc:
            if exc.retry_after_s > 0:
                request.setHeader(b"Retry-After", b"%d" % math.ceil(exc.retry_after_s))
            raise Unauthorized(BadBasicCredentials()) from None

    def token(
        self,
        text: str,
        address: str | None,
        interface: Interface,
        consumer_token: str | None = None,
        service_token: str | None = None,
    ) -> Asker:
        """Return whose access token this is. Raises: Unauthorized."""
        context = RequestContext(
            now_s=self._wall_clock(),
            peer_ip=address,
            interface=interface,
            service=ZONE_SERVICE,
            data_access_allowed=True,
        )
        try:
            context = self._with_parties(context, consumer_token, service_token)
            verified = self._verifier.access(text, context)
        except OnedataError as exc:
            raise Unauthorized(exc) from None
        return Asker(verified.subject, verified.caveats, address)

    def _with_parties(
        self, context: RequestContext, consumer_token: str | None, service_token: str | None
    ) -> RequestContext:
        bare = evolve(context, service=None)
        if service_token is not None:
            try:
                service = self._parties.service_of(service_token, bare)
            except OnedataError as exc:
                raise BadServiceToken(exc) from None
            context = evolve(context, service=service)
        if consumer_token is None:
            return context
        try:
            consumer = self._parties.subject_of(consumer_token, bare)
        except OnedataError as exc:
            raise BadConsumerToken(exc) from None
        return self._verifier.context_for(consumer, context)

    async def _basic(self, basic: BasicCredentials, address: str | None) -> Asker:
        user = await self._passwords.log_in(basic.username, basic.password, address, self._state.user_named)
        if not user.basic_auth_enabled:
            raise Unauthorized(BasicAuthDisabled())
        if user.blocked:
            raise Unauthorized(UserBlocked())
        return Asker(Subject(SubjectKind.USER, user.id), (), address)

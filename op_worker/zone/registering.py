"""Registering a provider at its zone over REST."""

from __future__ import annotations

import json

from attrs import field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.error import ConnectError, ConnectionLost, DNSLookupError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.client import RequestTransmissionFailed, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from cluster_worker.runtime.request_ids import REQUEST_ID
from onedata.errors import NoConnectionToOnezone, error_from_json
from onedata.ids import ProviderId
from op_worker.zone.registration import Registration

_REPLY_TIMEOUT_S = 30.0
_UNREACHABLE = (
    ConnectError,
    ConnectionLost,
    DNSLookupError,
    RequestTransmissionFailed,
    ResponseFailed,
    TimeoutError,
    CancelledError,
)
_log = Logger()


@frozen(kw_only=True)
class RegistrationRequest:
    """How a provider wants to appear in its zone.

    ``token`` is an invite token. ``zone_domain`` overrides the configured one. ``dev_id`` asks a zone in
    developer mode for this very provider id.
    """

    token: str = field(repr=False)
    name: str
    admin_email: str
    domain: str
    zone_domain: str | None = None
    dev_id: ProviderId | None = None


async def register_at_zone(
    agent: IAgent, clock: IReactorTime, zone_domain: str, request: RegistrationRequest
) -> Registration:
    """Register and return what the zone answered. Nothing is stored here.

    Raises:
        OnedataError: the zone refused, with its reason.
        NoConnectionToOnezone: it cannot be reached, or its certificate is not trusted.
    """
    path = "providers" if request.dev_id is None else "providers/dev"
    url = f"https://{zone_domain}/api/v3/onezone/{path}"
    try:
        status, answer = await _post(agent, clock, url, _body(request))
    except _UNREACHABLE as error:
        _log.warn("zone {domain} cannot be reached: {error}", domain=zone_domain, error=error)
        raise NoConnectionToOnezone(zone_domain) from error
    if status != 200:
        raise error_from_json(answer.get("error"))
    return Registration(
        provider_id=ProviderId(str(answer["providerId"])),
        name=request.name,
        domain=request.domain,
        zone_domain=zone_domain,
        root_token=str(answer["providerRootToken"]),
    )


async def _post(
    agent: IAgent, clock: IReactorTime, url: str, body: dict[str, object]
) -> tuple[int, dict[str, object]]:
    waiting: Deferred[tuple[int, dict[str, object]]] = Deferred.fromCoroutine(_exchange(agent, url, body))
    return await waiting.addTimeout(_REPLY_TIMEOUT_S, clock)


async def _exchange(agent: IAgent, url: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    headers = Headers({b"Content-Type": [b"application/json"]})
    request_id = REQUEST_ID.get()
    if request_id is not None:
        headers.setRawHeaders(b"X-Request-Id", [request_id.encode("ascii")])
    response = await HTTPClient(agent).post(url, data=json.dumps(body).encode(), headers=headers)
    content = await response.content()
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return response.code, answer if isinstance(answer, dict) else {}


def _body(request: RegistrationRequest) -> dict[str, object]:
    body: dict[str, object] = {
        "token": request.token,
        "name": request.name,
        "adminEmail": request.admin_email,
        "subdomainDelegation": False,
        "domain": request.domain,
    }
    if request.dev_id is not None:
        body["uuid"] = request.dev_id
    return body

"""``/metrics``: the daemon's numbers in the text form of Prometheus, for whoever may see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import Attribute, field, frozen
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.credentials import peer_ip
from cluster_worker.http.errors import render_error
from cluster_worker.http.networks import Networks
from onedata.errors import Forbidden

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


def _networks(_: object, attribute: Attribute[tuple[str, ...]], texts: tuple[str, ...]) -> None:
    try:
        Networks.parse(texts)
    except ValueError as error:
        raise ValueError(f"{attribute.name}: {error}") from None


@frozen(kw_only=True)
class MetricsSection:
    """The page /metrics for Prometheus."""

    allowed: tuple[str, ...] = field(
        default=("127.0.0.0/8", "::1/128"),
        validator=_networks,
        metadata={"help": "Networks whose addresses may read it; others are refused.", "reload": True},
    )


class MetricsPage(Resource):
    """Answers GET with everything that the registry collects, 403 to strangers.

    Args:
        refresh: looks up what collectors cannot know by themselves, before each answer.
    """

    isLeaf = True

    def __init__(
        self, registry: CollectorRegistry, section: MetricsSection, refresh: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._registry, self._refresh = registry, refresh
        self._allowed = Networks.parse(section.allowed)

    def use(self, section: MetricsSection) -> None:
        """Take another section into use at once."""
        self._allowed = Networks.parse(section.allowed)

    def render_GET(self, request: StreamingRequest) -> int:
        if not self._allowed.hold(peer_ip(request)):
            render_error(request, Forbidden("The metrics are not for this address."))
            return NOT_DONE_YET
        work = Deferred.fromCoroutine(self._answer(request))
        if not work.called:
            request.work = work
        work.addErrback(self._failed, request)
        return NOT_DONE_YET

    async def _answer(self, request: StreamingRequest) -> None:
        await self._refresh()
        request.work = None
        encode, media_type = choose_encoder(request.getHeader("accept") or "")
        send_bytes(request, encode(self._registry), [media_type.encode("ascii")])

    def _failed(self, failure: Failure, request: StreamingRequest) -> None:
        request.work = None
        render_error(request, failure)

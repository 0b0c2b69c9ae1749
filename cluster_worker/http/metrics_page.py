"""``/metrics``: the daemon's numbers in the text form of Prometheus, for whoever may see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import field, frozen
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.answers import send_bytes, send_later
from cluster_worker.http.credentials import peer_ip
from cluster_worker.http.errors import render_error
from cluster_worker.http.networks import Networks, are_networks
from onedata.errors import Forbidden

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


@frozen(kw_only=True)
class MetricsSection:
    """The page /metrics for Prometheus."""

    allowed: tuple[str, ...] = field(
        default=("127.0.0.0/8", "::1/128"),
        validator=are_networks,
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
        send_later(request, self._refreshed(), lambda _: self._send(request))
        return NOT_DONE_YET

    async def _refreshed(self) -> None:
        await self._refresh()

    def _send(self, request: StreamingRequest) -> None:
        encode, media_type = choose_encoder(request.getHeader("accept") or "")
        send_bytes(request, encode(self._registry), [media_type.encode("ascii")])

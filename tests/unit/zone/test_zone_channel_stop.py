"""The connection to the zone ends at once when told to, whatever it is waiting for."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.task import Clock

from onedata.ids import ProviderId
from op_worker.zone.backoff import Backoff
from op_worker.zone.channel import ChannelTimes, ZoneChannel
from op_worker.zone.registration import Registration

REGISTRATION = Registration(
    provider_id=ProviderId("p1"), name="p1", domain="p1.test", zone_domain="zone.test", root_token="t"
)
ADDRESS = IPv4Address("TCP", "127.0.0.1", 443)


def connecting(on_text: Any, on_lost: Any) -> Deferred[Any]:
    """An attempt that lasts until it is cancelled, which Twisted's endpoints report as this failure."""
    return Deferred(lambda attempt: attempt.errback(ConnectingCancelledError(ADDRESS)))


def refused(on_text: Any, on_lost: Any) -> Deferred[Any]:
    raise OSError("refused")


async def nothing() -> None:
    return


@pytest.mark.parametrize("connect", [connecting, refused], ids=["connecting", "between two attempts"])
def test_stopping_ends_the_attempts_and_leaves_no_timer(connect: Any) -> None:
    clock = Clock()
    channel = ZoneChannel(
        connect,
        REGISTRATION,
        clock=clock,
        backoff=Backoff(lambda: 0.5),
        on_ready=nothing,
        on_push=lambda push: None,
        times=ChannelTimes(),
    )
    channel.startService()
    stopped = channel.stopService()
    assert stopped.called
    assert clock.getDelayedCalls() == []

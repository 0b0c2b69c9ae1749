"""Networks: which addresses they hold, and what is no network."""

from __future__ import annotations

import pytest

from cluster_worker.http.metrics_page import MetricsSection
from cluster_worker.http.networks import Networks

NETWORKS = Networks.parse(["127.0.0.0/8", "::1/128", "10.1.2.3", "2001:db8::/32"])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "::ffff:127.0.0.1", "2001:db8::5", "::1%lo"]
)
def test_addresses_inside_are_held(address: str) -> None:
    assert NETWORKS.hold(address)


@pytest.mark.parametrize("address", ["10.1.2.4", "128.0.0.1", "::2", "::ffff:8.8.8.8", "nonsense", "", None])
def test_addresses_outside_and_what_is_none_are_not(address: str | None) -> None:
    assert not NETWORKS.hold(address)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "300.0.0.0/8", ""])
def test_what_is_no_network_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        MetricsSection(allowed=(text,))

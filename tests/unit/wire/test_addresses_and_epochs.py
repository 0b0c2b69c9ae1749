"""Small values of the wire: addresses, epochs, boot steps."""

from __future__ import annotations

import pytest

from cluster_worker.wire.connections import Address, BadAddress
from cluster_worker.wire.epochs import Epoch, EpochGate
from cluster_worker.wire.steps import BOOT_STEPS, BootStep


@pytest.mark.parametrize(("text", "host", "port"), [("cm.test:5055", "cm.test", 5055), ("[::1]:1", "::1", 1)])
def test_addresses_are_read_and_written_alike(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)
    assert str(Address(host, port)) == text


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:0", "host:65536", "host:x", "host:²"])
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        Address.parse(text)


def test_later_manager_is_ahead_of_every_decision_of_an_earlier() -> None:
    assert Epoch(2, 0) > Epoch(1, 999) > Epoch(1, 998)
    assert Epoch(1, 5).next() == Epoch(1, 6)


def test_gate_stops_what_a_later_epoch_has_overtaken() -> None:
    gate = EpochGate()
    assert [gate.admits(Epoch(*epoch)) for epoch in ((2, 1), (2, 1), (1, 9), (2, 3), (2, 2), (3, 0))] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert gate.latest == Epoch(3, 0)


def test_boot_steps_follow_each_other_to_the_listeners() -> None:
    assert BOOT_STEPS[0] is BootStep.START_DEFAULT_WORKERS
    assert BootStep.UPGRADE_CLUSTER.following is BootStep.START_LISTENERS
    assert BootStep.START_LISTENERS.following is None

"""Questions about the domain of a cluster and their answers."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cluster_manager.dns.config import DnsSection
from cluster_manager.dns.zone import MOST_ADDRESSES, Code, Kind, Record, Zone, weighted_order

ZONE = Zone("data.example.org", ("ns1.example.org", "ns2.example.org"))
START = Record(Kind.SOA, "ns1.example.org")


def test_addresses_of_the_asked_family_are_given_in_their_order() -> None:
    reply = ZONE.reply("Data.Example.ORG", Kind.A, ["10.0.0.2", "2001:db8::1", "10.0.0.1"])
    assert reply.code is Code.OK and [one.value for one in reply.answers] == ["10.0.0.2", "10.0.0.1"]


def test_family_without_addresses_is_answered_with_nothing_and_how_long_that_holds() -> None:
    reply = ZONE.reply("data.example.org", Kind.AAAA, ["10.0.0.2"])
    assert (reply.code, reply.answers, reply.authority) == (Code.OK, (), (START,))


def test_name_servers_and_start_of_authority_are_told() -> None:
    assert [one.value for one in ZONE.reply("data.example.org", Kind.NS, []).answers] == list(
        ZONE.name_servers
    )
    assert ZONE.reply("data.example.org.", Kind.SOA, []).answers == (START,)


def test_names_below_the_domain_do_not_exist() -> None:
    assert ZONE.reply("www.data.example.org", Kind.A, ["10.0.0.1"]).code is Code.NO_SUCH_NAME


@pytest.mark.parametrize("name", ["example.org", "xdata.example.org", "org", ""])
def test_other_domains_are_refused(name: str) -> None:
    assert ZONE.reply(name, Kind.A, ["10.0.0.1"]).code is Code.REFUSED


def test_server_that_does_not_know_the_nodes_says_that_it_failed() -> None:
    assert ZONE.reply("data.example.org", Kind.SOA, None).code is Code.SERVER_FAILURE


def test_answer_holds_no_more_addresses_than_fit_into_a_datagram() -> None:
    many = [f"10.0.0.{number}" for number in range(100)]
    assert len(ZONE.reply("data.example.org", Kind.A, many).answers) == MOST_ADDRESSES


def test_node_is_first_as_often_as_its_share_says() -> None:
    source = random.Random(7)
    shares = {"a": 0.6, "b": 0.3, "c": 0.1}
    first = Counter(weighted_order(shares, source.random)[0] for _ in range(5000))
    for node, share in shares.items():
        assert abs(first[node] / 5000 - share) < 0.03


def test_all_nodes_with_a_share_are_in_the_order_and_no_others() -> None:
    assert sorted(weighted_order({"a": 0.5, "b": 0.5, "c": 0.0}, random.Random(1).random)) == ["a", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"domain": "a.org"},
        {"domain": "a.org", "name_servers": ("ns.a.org",)},
        {"addresses": ("worker@a",)},
        {"addresses": ("worker@a=host",)},
    ],
)
def test_section_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        DnsSection(**wrong)  # type: ignore[arg-type]  # each is wrong in its own way


def test_node_may_have_several_published_addresses() -> None:
    section = DnsSection(addresses=("worker@a=10.0.0.1", "worker@a=2001:db8::1"))
    assert section.published == {"worker@a": ("10.0.0.1", "2001:db8::1")}

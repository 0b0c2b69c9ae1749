"""The managers' name server, asked as resolvers ask: real UDP and TCP, a client of other people."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread

from cluster_manager.dns.config import DnsSection
from cluster_manager.dns.service import NameServer, node_addresses
from cluster_manager.service import ClusterManager
from cluster_worker.wire.operator_messages import DrainNode
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually, reactor
from tests.support.managers import free_port

A, B = "worker@a.test", "worker@b.test"
DOMAIN = "data.example.test"
PUBLISHED = (f"{A}=192.0.2.1", f"{A}=2001:db8::1", f"{B}=192.0.2.2")


class Resolver:
    """Asks one name server."""

    def __init__(self, cluster: Cluster, manager: ClusterManager) -> None:
        self.port = free_port()
        section = DnsSection(
            domain=DOMAIN, port=self.port, name_servers=("ns1.example.test",), addresses=PUBLISHED
        )
        addresses = node_addresses(manager, section.published, random.random)
        NameServer(reactor, section, addresses).setServiceParent(cluster.services)

    async def ask(self, kind: str, name: str = DOMAIN, *, over: str = "udp") -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        send: Any = getattr(dns.query, over)
        answer: dns.message.Message = await deferToThread(send, query, HOST, timeout=5, port=self.port)
        return answer

    async def values(self, kind: str) -> list[str]:
        return [item.to_text() for one in (await self.ask(kind)).answer for item in one]


async def two_nodes(cluster: Cluster) -> tuple[ClusterManager, list[Any]]:
    manager = cluster.manager(2, grace_s=0.5)
    nodes = [cluster.node(name, manager.port, RecordingApplication()) for name in (A, B)]
    for node in nodes:
        await node.when_ready()
    return manager, nodes


@ensureDeferred
async def test_domain_has_the_addresses_of_the_nodes_over_udp_and_tcp(cluster: Cluster) -> None:
    manager, _ = await two_nodes(cluster)
    resolver = Resolver(cluster, manager)
    for over in ("udp", "tcp"):
        answer = await resolver.ask("A", over=over)
        assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA
        assert answer.answer[0].ttl == 5
    assert sorted(await resolver.values("A")) == ["192.0.2.1", "192.0.2.2"]
    assert await resolver.values("AAAA") == ["2001:db8::1"]
    assert await resolver.values("NS") == ["ns1.example.test."]
    assert (await resolver.values("SOA"))[0].startswith("ns1.example.test. hostmaster.data.example.test. 1 ")
    unknown = await resolver.ask("A", f"www.{DOMAIN}")
    assert unknown.rcode() == dns.rcode.NXDOMAIN and unknown.authority[0].rdtype == dns.rdatatype.SOA
    assert (await resolver.ask("A", "example.test")).rcode() == dns.rcode.REFUSED


@ensureDeferred
async def test_draining_and_lost_nodes_are_not_told(cluster: Cluster) -> None:
    manager, nodes = await two_nodes(cluster)
    resolver = Resolver(cluster, manager)
    await cluster.ask(manager.port, DrainNode(A))
    assert await resolver.values("A") == ["192.0.2.2"]
    await cluster.stop(nodes[1])
    await eventually(lambda: manager.reign is not None and not manager.reign.loads())
    assert await resolver.values("A") == []


@ensureDeferred
async def test_standby_lets_resolvers_ask_another_manager(cluster: Cluster) -> None:
    manager, _ = await two_nodes(cluster)
    resolver = Resolver(cluster, manager)
    manager.end_reign(1, "this test says so")
    assert (await resolver.ask("A")).rcode() == dns.rcode.SERVFAIL


def test_page_tells_of_every_option() -> None:
    page = (Path(__file__).parents[3] / "docs" / "load-spreading.md").read_text()
    for option in ("domain", "name_servers", "ttl_s", "addresses", "address", "port"):
        assert f"`{option}`" in page

"""What containers are told: their network, their names, what they may see."""

from __future__ import annotations

import json
import struct
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from twisted.names import dns
from twisted.names.authority import PySourceAuthority

from bamboos.environment.accounts import Accounts, group_file, number, passwd_file
from bamboos.environment.addresses import Addresses
from bamboos.environment.description import load, parse
from bamboos.environment.dns_query import has_answer, question
from bamboos.environment.engines.networks import PRIVATE, candidates, routed_networks
from bamboos.environment.node_command import Mount, NodeCommand, load_command
from bamboos.environment.parts import (
    clusters_alone,
    free_name,
    providers_alone,
    with_worker,
    without_worker,
    zones_alone,
)
from bamboos.environment.validation import problems
from bamboos.environment.zone_file import zone_file

EXAMPLES = Path(__file__).parents[3] / "bamboos" / "example_env"
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_networks_that_are_reached_already_are_read_from_the_routes() -> None:
    assert list(routed_networks(ROUTES)) == [IPv4Network("0.0.0.0/0"), IPv4Network("172.17.0.0/16")]


def test_new_network_overlaps_no_route_but_the_default_one() -> None:
    found = list(candidates("seed", routed_networks(ROUTES)))
    assert len(found) == 16 * 256 - 256
    assert all(network.subnet_of(PRIVATE) for network in found)
    assert not any(network.overlaps(IPv4Network("172.17.0.0/16")) for network in found)


def test_two_environments_begin_their_search_at_different_networks() -> None:
    assert next(candidates("one", [])) != next(candidates("two", []))


def test_network_is_full_after_its_last_address() -> None:
    addresses = Addresses(443, lambda: "172.20.1")
    for last in range(2, 255):
        assert addresses.of(f"host{last}") == f"172.20.1.{last}"
    with pytest.raises(OSError, match="no address left for one-more"):
        addresses.of("one-more")


def test_name_server_reads_every_name_and_all_addresses_of_a_domain(tmp_path: Path) -> None:
    names = {"w1.p.17.test": ["172.20.1.3"], "p.17.test": ["172.20.1.3", "172.20.1.4"]}
    (tmp_path / "zone.py").write_text(zone_file("17.test", "dns.17.test", names))
    authority = PySourceAuthority(str(tmp_path / "zone.py"))
    records_of: dict[bytes, list[Any]] = dict(authority.records or {})
    found = {
        name.decode(): [record.dottedQuad() for record in records if isinstance(record, dns.Record_A)]
        for name, records in records_of.items()
    }
    assert found["w1.p.17.test"] == names["w1.p.17.test"]
    assert found["p.17.test"] == names["p.17.test"]
    assert authority.soa is not None
    assert authority.soa[0] == b"17.test"


def test_question_to_a_name_server_is_what_the_library_would_ask() -> None:
    expected = dns.Message(id=7, recDes=1)
    expected.addQuery(b"dns.17.test", dns.A)
    assert question("dns.17.test", 7) == expected.toStr()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ((7, 0x8180, 1, 1, 0, 0), True),
        ((8, 0x8180, 1, 1, 0, 0), False),
        ((7, 0x8183, 1, 0, 0, 0), False),
        ((7, 0x8180, 1, 0, 0, 0), False),
    ],
)
def test_only_an_answer_to_the_question_with_an_address_counts(
    header: tuple[int, ...], expected: bool
) -> None:
    assert has_answer(struct.pack("!6H", *header), 7) is expected
    assert not has_answer(b"short", 7)


def test_command_of_a_node_is_found_again_in_its_folder(tmp_path: Path) -> None:
    mounts = [Mount(source="/a", target="/b", readonly=False), Mount.same(Path("/c"))]
    command = NodeCommand(node="worker@w.p.17.test", argv=["run", "it"], folder=tmp_path, mounts=mounts)
    command.save()
    assert load_command(tmp_path) == command
    assert command.host == "w.p.17.test"


def test_accounts_have_the_same_numbers_on_every_machine() -> None:
    accounts = Accounts(users=["anna", "bert"], groups={"team": ["anna", "bert"], "anna": ["bert"]})
    lines = passwd_file(accounts).splitlines()
    assert lines[0].startswith("root:x:0:0:")
    assert f"anna:x:{number('anna')}:{number('anna')}:anna:/home/anna:/bin/sh" in lines
    assert 10000 <= number("anna") < 60000
    assert number("anna") == number("anna") != number("bert")
    groups = group_file(accounts).splitlines()
    assert f"team:x:{number('team')}:anna,bert" in groups
    assert len({line.split(":")[0] for line in groups}) == len(groups)


def test_parts_of_a_description_stand_alone() -> None:
    example = EXAMPLES / "single_gr_two_providers.json"
    zones, providers = load(example, zones_alone), load(example, providers_alone)
    assert (len(zones.zones), len(zones.providers), zones.setup) == (1, 0, None)
    assert (len(providers.zones), len(providers.providers), providers.setup) == (0, 2, None)
    assert [provider.zone for provider in providers.providers] == [None, None]
    assert problems(zones) == problems(providers) == []
    assert load(EXAMPLES / "cluster_small.json", clusters_alone).clusters != ()


def test_added_worker_is_set_up_as_the_first_one() -> None:
    document = json.loads((EXAMPLES / "single_oz_and_two_workers.json").read_text())
    (provider,) = parse(with_worker(document, "krk", "worker3")).providers
    assert list(provider.workers) == ["worker1", "worker2", "worker3"]
    assert provider.workers["worker3"] == provider.workers["worker1"]
    assert "worker3" not in document["provider_domains"]["krk"]["op_worker"]
    with pytest.raises(ValueError, match="worker2"):
        with_worker(document, "krk", "worker2")
    with pytest.raises(KeyError):
        with_worker(document, "nowhere", "worker3")


def test_worker_that_left_is_not_in_the_document_and_its_name_is_free() -> None:
    document = json.loads((EXAMPLES / "single_oz_and_two_workers.json").read_text())
    assert free_name(document, "krk") == "worker3"
    smaller = without_worker(document, "krk", "worker1")
    assert list(parse(smaller).providers[0].workers) == ["worker2"]
    assert free_name(smaller, "krk") == "worker1"
    with pytest.raises(ValueError, match="worker9"):
        without_worker(document, "krk", "worker9")


def test_keys_without_effect_are_named_in_a_warning(tmp_path: Path) -> None:
    document = json.loads((EXAMPLES / "single_oz_and_provider.json").read_text())
    document["provider_domains"]["krk"]["gui_override"] = {"mount_path": "/x"}
    path = tmp_path / "env.json"
    path.write_text(json.dumps(document))
    assert any("'gui_override' is ignored" in warning for warning in load(path).warnings)

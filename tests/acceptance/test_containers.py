"""A site in containers: used by its names, with nodes that die, lose the network and come back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bamboos.environment.accounts import number
from bamboos.environment.description import load
from bamboos.environment.engines.docker_cli import Docker
from tests.support.containers import Containers
from tests.support.environments import EXAMPLES, ROOT, SCRIPTS, raise_environment, wait_until
from tests.support.names import addresses_of, resolved_by
from tests.support.system_packages import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

WORKERS = ("worker@worker1.krk", "worker@worker2.krk")


@pytest.fixture(scope="module")
def site(containers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """A provider of two workers and two managers, in containers; this process resolves their names."""
    raised = raise_environment("two_managers", tmp_path_factory.mktemp("site"), "docker")
    with resolved_by(raised.output["dns"]):
        yield Containers(raised, Docker())
    raised.stop()


@pytest.fixture(scope="module")
def token(site: Containers) -> str:
    return site.raised.token()


@pytest.fixture
def session(site: Containers, token: str) -> requests.Session:
    return site.raised.session(token)


def domain(site: Containers, instance: str = "krk") -> str:
    return str(site.raised.output["domain_mappings"][instance])


def door(site: Containers, node: int) -> str:
    """The URL of a worker by its own host name."""
    return f"https://{site.raised.output['op_worker_nodes'][node].partition('@')[2]}"


def test_output_names_each_container_and_the_name_server(site: Containers) -> None:
    output = site.raised.output
    running = site.docker("ps", "--quiet", "--no-trunc").split()
    assert set(output["docker_ids"]) == set(running)
    assert len(running) == 9
    for node, container in output["containers"].items():
        assert site.docker("inspect", "--format", "{{.Name}}", container) == f"/{node.partition('@')[2]}"
    assert output["pids"] == {}
    addresses = output["domains"][domain(site)]["a"]
    assert sorted(addresses_of(output["dns"], domain(site))) == sorted(addresses)
    assert addresses_of(output["dns"], f"nobody.{domain(site)}") == []


def test_containers_have_their_host_names_and_find_each_other_by_them(site: Containers) -> None:
    (worker1, worker2), dns = WORKERS, site.raised.output["dns"]
    name = site.raised.output["op_worker_nodes"][0].partition("@")[2]
    assert site.inside(worker1, "hostname") == name
    for known in (name, domain(site)):
        found = site.inside(worker2, "getent", "ahostsv4", known).split()
        assert set(addresses_of(dns, known)) <= set(found)


def test_nodes_see_their_own_secrets_only_and_no_key_of_an_authority(site: Containers) -> None:
    folder = site.raised.folder
    seen = site.inside(WORKERS[0], "find", str(folder), "-type", "f")
    assert "node_key.pem" in seen
    assert "ca_key.pem" not in seen
    assert "worker2" not in seen


def test_workers_have_the_accounts_of_their_operating_system_configuration(site: Containers) -> None:
    numbers = {site.inside(worker, "id", "-u", "anna") for worker in WORKERS}
    assert numbers == {str(number("anna"))}
    assert "team" in site.inside(WORKERS[0], "id", "-Gn", "anna").split()


def test_file_goes_up_by_one_name_and_comes_down_by_all_others(
    site: Containers, session: requests.Session
) -> None:
    content = os.urandom(3_000_000)
    path = "/cdmi/first/by-name.bin"
    assert session.put(f"https://{domain(site)}{path}", data=content).status_code == 201
    for base in (door(site, 0), door(site, 1), f"https://{domain(site)}"):
        assert session.get(f"{base}{path}").content == content
    assert (site.raised.storage() / "s1" / "by-name.bin").read_bytes() == content
    spaces = session.get(f"https://{domain(site)}/api/v3/oneprovider/spaces").json()
    assert {space["name"] for space in spaces} == {"first", "second"}
    zone = session.get(f"https://{domain(site, 'oz')}/api/v3/onezone/user/effective_spaces")
    assert set(zone.json()["spaces"]) == {"s1", "s2"}


def test_certificates_are_verified_by_name(site: Containers, session: requests.Session) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(door(site, 0), timeout=5)
    with pytest.raises(requests.ConnectionError):
        session.get(f"https://nobody.{domain(site)}/", timeout=5)


def test_one_worker_serves_while_the_other_is_killed_and_started_again(
    site: Containers, session: requests.Session
) -> None:
    url = f"{door(site, 1)}/cdmi/first/while-one-is-dead"
    site.kill(WORKERS[0])
    assert session.put(url, data=b"kept").status_code == 201
    site.start(WORKERS[0])
    site.raised.wait_healthy("krk")
    assert session.get(f"{door(site, 0)}/cdmi/first/while-one-is-dead").content == b"kept"


def test_worker_cut_off_from_the_network_serves_again_when_it_is_joined(
    site: Containers, session: requests.Session
) -> None:
    (cut, other) = (door(site, 0), door(site, 1))
    options = site.cut_off(WORKERS[0])
    try:
        with pytest.raises(requests.ConnectionError):
            session.get(f"{cut}/nagios", timeout=2)
        assert session.put(f"{other}/cdmi/first/meanwhile", data=b"written").status_code == 201
    finally:
        site.join(WORKERS[0], options)

    def serves() -> bool:
        try:
            return session.get(f"{cut}/cdmi/first/meanwhile", timeout=5).content == b"written"
        except requests.RequestException:
            return False

    wait_until(serves, 30, "the worker does not serve again")


def test_users_notice_nothing_when_one_manager_is_killed_and_the_other_is_cut_off(
    site: Containers, session: requests.Session
) -> None:
    url = f"https://{domain(site)}/cdmi/first/managers"
    site.kill("cm@cm1.krk")
    assert session.put(url, data=b"none is missed").status_code in (201, 204)
    site.raised.wait_healthy("krk", 15)
    site.start("cm@cm1.krk")
    options = site.cut_off("cm@cm2.krk")
    try:
        assert session.get(url).content == b"none is missed"
        site.raised.wait_healthy("krk", 15)
    finally:
        site.join("cm@cm2.krk", options)


def test_worker_is_added_and_taken_out_again_while_the_others_serve(
    site: Containers, session: requests.Session
) -> None:
    grown = site.changed("add_node.py", "--node", "worker9")
    new = next(node for node in grown["op_worker_nodes"] if "worker9" in node).partition("@")[2]
    assert set(addresses_of(grown["dns"], domain(site))) == set(grown["domains"][domain(site)]["a"])
    assert session.put(f"https://{new}/cdmi/first/by-the-new-one", data=b"content").status_code == 201
    assert session.get(f"{door(site, 0)}/cdmi/first/by-the-new-one").content == b"content"
    left = site.changed("remove_node.py", "--node", "worker9")
    assert addresses_of(left["dns"], new) == []
    assert session.get(f"https://{domain(site)}/cdmi/first/by-the-new-one").content == b"content"
    assert set(left["docker_ids"]) == set(site.raised.output["docker_ids"])


def test_logs_lie_in_the_folder_of_the_node(site: Containers) -> None:
    host = site.raised.output["op_worker_nodes"][0].partition("@")[2]
    assert "starting up" in (site.raised.folder / "nodes" / host / "console.log").read_text()


def test_bare_cluster_comes_up_and_cleanup_by_ids_leaves_nothing_of_it(
    containers: None, tmp_path: Path
) -> None:
    docker = Docker()
    before = _everything(docker)
    raised = raise_environment("cluster_small", tmp_path / "state", "docker")
    assert len(raised.output["cluster_worker_nodes"]) == 2
    address = raised.address("c1")
    assert 'status="ok"' in requests.get(f"http://{address}/nagios", timeout=5).text
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "cleanup.py"), *raised.output["docker_ids"]], check=False, timeout=60
    )
    assert done.returncode == 0
    assert _everything(docker) == before


def _everything(docker: Docker) -> list[list[str]]:
    listings = (["ps", "--all", "--quiet"], ["network", "ls", "--quiet"], ["volume", "ls", "--quiet"])
    return [sorted(docker(*words).split()) for words in listings]


OTHERS = sorted({path.stem for path in EXAMPLES.glob("*.json")} - {"two_managers", "cluster_small"})
"""The two that are left out are raised by other tests of this file."""


@pytest.mark.parametrize("example", OTHERS)
def test_example_comes_up_in_containers(containers: None, example: str, tmp_path: Path) -> None:
    description = load(EXAMPLES / f"{example}.json")
    raised = raise_environment(example, tmp_path / "state", "docker")
    try:
        workers = [node for provider in description.providers for node in provider.workers]
        assert len(raised.output["op_worker_nodes"]) == len(workers)
        assert len(raised.output["oz_worker_nodes"]) == len(description.zones)
        if description.setup is not None:
            session = raised.session(raised.token(next(iter(description.setup.users))))
            space = description.setup.spaces[0]
            for provider in space.supports:
                url = f"https://{raised.address(provider)}/cdmi/{space.displayed_name}/{provider}"
                assert session.put(url, data=b"content").status_code == 201
    finally:
        raised.stop()


def test_unknown_image_is_refused_in_one_sentence_with_the_output_for_cleanup(
    containers: None, tmp_path: Path
) -> None:
    example = str(ROOT / "bamboos" / "example_env" / "cluster_small.json")
    command = [sys.executable, str(SCRIPTS / "env_up.py"), "--engine", "docker", "--image", "no/such:image"]
    command += ["--state-dir", str(tmp_path / "state"), example]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "no/such:image" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["docker_ids"] == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_built_image_needs_nothing_of_this_machine(containers: None, tmp_path: Path) -> None:
    require(["mmdebstrap"], ["mmdebstrap"])
    raised = raise_environment("provider_small", tmp_path / "state", "docker", "--image", "build")
    site = Containers(raised, Docker())
    try:
        mounted = {mount["Destination"] for mount in site.inspect("worker@worker1.p1")["Mounts"]}
        assert not mounted & {"/usr", str(ROOT)}
        assert "/opt/onedata/bin/" in site.inside("worker@worker1.p1", "cat", "/proc/1/cmdline")
    finally:
        raised.stop()

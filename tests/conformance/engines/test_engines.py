"""Every engine that runs nodes keeps the same promises."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bamboos.environment.engines.docker import DockerEngine
from bamboos.environment.engines.engine import Engine, EngineFailed, EngineMaker
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.names import Names
from bamboos.environment.node_command import NodeCommand, last_words
from tests.support.environments import wait_until

PORT = 4321
DAEMON = """
import pathlib, signal, socket, sys
def stop(*_):
    print("stopped as asked", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
starts = pathlib.Path("starts")
starts.write_text(f"{starts.read_text() if starts.exists() else ''}x")
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
while True:
    link, _ = listener.accept()
    link.sendall(starts.read_bytes())
    link.close()
"""
ENGINES: dict[str, EngineMaker] = {"process": ProcessEngine.make, "docker": DockerEngine.make}


class Bench:
    """An open engine with two hosts."""

    def __init__(self, make: EngineMaker, folder: Path, uid: str) -> None:
        self.make, self.folder = make, folder
        self.names = Names(uid)
        self.hosts = [self.names.host(node, "p") for node in ("one", "two")]
        self.engine: Engine = make(folder, self.names, {})
        self.engine.open({host: [] for host in self.hosts})

    def command(self, number: int = 0, script: str = DAEMON) -> NodeCommand:
        """A node that counts its starts and tells the count to whoever connects."""
        host = self.hosts[number]
        folder = self.folder / "nodes" / host
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "daemon.py").write_text(script)
        python = self.engine.surroundings.python
        argv = [python, str(folder / "daemon.py"), self.engine.addresses.of(host), str(PORT)]
        return NodeCommand(node=f"worker@{host}", argv=argv, folder=folder)

    def answer(self, number: int = 0) -> str | None:
        """What the node says, None when it cannot be reached."""
        try:
            with socket.create_connection((self.engine.addresses.of(self.hosts[number]), PORT), 1) as link:
                return link.recv(100).decode()
        except OSError:
            return None

    def started(self, number: int = 0) -> NodeCommand:
        """Start a node and wait until it answers."""
        command = self.command(number)
        self.engine.start(command)
        wait_until(lambda: self.answer(number) is not None, 20, "the node does not answer")
        return command


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "docker":
        request.getfixturevalue("containers")
    uid = str(zlib.crc32(request.node.name.encode()))
    bench = Bench(ENGINES[request.param], tmp_path, uid)
    yield bench
    bench.engine.close()


pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_each_host_has_an_address_of_its_own_which_this_machine_reaches(bench: Bench) -> None:
    for number in (0, 1):
        bench.started(number)
    assert len({bench.engine.addresses.of(host) for host in bench.hosts}) == 2
    assert bench.answer(0) == bench.answer(1) == "x"
    assert bench.engine.ended() == []


def test_node_that_is_asked_to_stop_may_finish_its_work(bench: Bench) -> None:
    command = bench.started()
    assert bench.engine.is_running(command.node)
    bench.engine.stop(command.node)
    assert not bench.engine.is_running(command.node)
    assert "stopped as asked" in last_words(command.folder)
    assert bench.answer() is None


def test_killed_node_is_not_asked_and_comes_back_with_its_files_and_its_address(bench: Bench) -> None:
    command = bench.started()
    address = bench.engine.addresses.of(command.host)
    bench.engine.kill(command.node)
    assert not bench.engine.is_running(command.node)
    assert "stopped as asked" not in last_words(command.folder)
    bench.started()
    assert bench.engine.addresses.of(command.host) == address
    assert bench.answer() == "xx"


def test_last_words_of_a_node_that_ends_at_once_are_kept(bench: Bench) -> None:
    command = bench.command(script="raise SystemExit('no, thank you')")
    bench.engine.start(command)
    wait_until(lambda: not bench.engine.is_running(command.node), 20, "the node still runs")
    assert "no, thank you" in last_words(command.folder)
    assert [one.node for one in bench.engine.ended()] == [command.node]


def test_node_that_was_never_started_does_not_run_and_may_be_stopped(bench: Bench) -> None:
    node = bench.command().node
    assert not bench.engine.is_running(node)
    bench.engine.stop(node)
    bench.engine.kill(node)


def test_environment_that_runs_cannot_be_opened_again(bench: Bench) -> None:
    bench.started()
    second = bench.make(bench.folder, bench.names, {})
    with pytest.raises(EngineFailed, match="running already"):
        second.open({})
    assert bench.answer() == "x"


def test_environment_that_runs_is_taken_up_by_another_process(bench: Bench) -> None:
    command = bench.started()
    second = bench.make(bench.folder, bench.names, bench.engine.saved())
    second.attach({host: [] for host in bench.hosts})
    assert second.report() == bench.engine.report()
    second.kill(command.node)
    assert not bench.engine.is_running(command.node)
    second.start(command)
    wait_until(lambda: bench.answer() == "xx", 20, "the node does not answer again")


def test_host_admitted_later_gets_the_next_address(bench: Bench) -> None:
    late = bench.names.host("late", "p")
    bench.engine.admit(late, [])
    bench.hosts.append(late)
    bench.started(2)
    assert bench.engine.addresses.of(late) not in {bench.engine.addresses.of(h) for h in bench.hosts[:2]}


def test_dismissed_node_is_forgotten_and_its_address_is_not_given_to_another(bench: Bench) -> None:
    command = bench.started()
    bench.engine.stop(command.node)
    bench.engine.dismiss(command.node)
    report = bench.engine.report()
    assert command.node not in {**report["pids"], **report["containers"]}
    assert bench.engine.ended() == []
    late = bench.names.host("late", "p")
    bench.engine.admit(late, [])
    assert bench.engine.addresses.of(late) != bench.engine.addresses.of(command.host)


def test_addresses_are_kept_when_the_environment_is_opened_again(bench: Bench) -> None:
    given = {host: bench.engine.addresses.of(host) for host in bench.hosts}
    bench.engine.close()
    bench.engine = bench.make(bench.folder, bench.names, bench.engine.saved())
    bench.engine.open({host: [] for host in bench.hosts})
    assert {host: bench.engine.addresses.of(host) for host in bench.hosts} == given


def test_closing_ends_every_node_and_keeps_the_files(bench: Bench) -> None:
    commands = [bench.started(0), bench.started(1)]
    bench.engine.close()
    assert [bench.engine.is_running(command.node) for command in commands] == [False, False]
    assert (commands[0].folder / "starts").read_text() == "x"


def test_report_names_everything_that_was_started(bench: Bench) -> None:
    command = bench.started()
    bench.engine.settle()
    report = bench.engine.report()
    assert command.node in {**report["pids"], **report["containers"]}
    assert set(report["containers"].values()) == set(report["docker_ids"])

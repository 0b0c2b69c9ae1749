"""The environment scripts: output, validation before anything starts, clean-up of just what was started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bamboos.environment import processes
from tests.support.environments import EXAMPLES, ROOT, SCRIPTS, Raised, kill, raise_environment, wait_until


def env_up(*arguments: str, script: str = "env_up.py") -> subprocess.CompletedProcess[str]:
    """Run a script with a Python that knows nothing of the project, where no container engine answers."""
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT, env=environment
    )


def test_output_has_the_keys_and_names_that_consumers_read(environment: Raised) -> None:
    output = environment.output
    domain = output["domain_mappings"]["krk"]
    assert output["op_worker_nodes"] == [f"worker@worker1.{domain}"]
    assert output["cluster_manager_nodes"][1] == f"cm@cm1.{domain}"
    assert domain.endswith(".test")
    assert Path(output["ca_cert"]).is_file()
    assert set(output["pids"]) == {
        *output["op_worker_nodes"],
        *output["oz_worker_nodes"],
        *output["cluster_manager_nodes"],
        *(f"redis@{host}" for host in output["oz_db_nodes"] + output["couchbase_nodes"]),
    }
    for node, pid in output["pids"].items():
        if node.startswith("redis@"):  # the server overwrites its environment with its title
            assert "valkey" in Path(f"/proc/{pid}/cmdline").read_text()
        else:
            assert processes.belongs_to(pid, environment.folder)


def test_problems_are_all_listed_and_nothing_is_started(tmp_path: Path) -> None:
    document = json.loads((EXAMPLES / "single_oz_and_provider.json").read_text())
    document["provider_domains"]["krk"]["os_config"] = "nowhere"
    document["global_setup"]["spaces"]["s1"]["users"] = ["ghost"]
    description = tmp_path / "broken.json"
    description.write_text(json.dumps(document))
    done = env_up("--engine", "process", "--state-dir", str(tmp_path / "state"), str(description))
    assert done.returncode == 1
    assert "'nowhere'" in done.stdout
    assert "'ghost'" in done.stdout
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_file_that_is_no_description_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "env.json").write_text(content)
    done = env_up(str(tmp_path / "env.json"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_containers_that_were_asked_for_are_not_replaced_by_processes(tmp_path: Path) -> None:
    example = str(EXAMPLES / "cluster_small.json")
    done = env_up("--engine", "docker", "--state-dir", str(tmp_path / "state"), example)
    assert done.returncode == 1
    assert "no container engine can be used" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "example", "kinds"),
    [
        ("env_up.py", "single_gr_and_provider", ["oz_worker", "op_worker"]),
        ("env_up.py", "single_gr_two_providers", ["oz_worker", "op_worker", "op_worker"]),
        ("cluster_up.py", "cluster_small", ["cluster_worker", "cluster_worker"]),
        ("zone_up.py", "single_gr_two_providers", ["oz_worker"]),
        ("provider_up.py", "provider_small", ["op_worker"]),
    ],
)
def test_script_raises_what_the_example_describes(
    script: str, example: str, kinds: list[str], tmp_path: Path
) -> None:
    options = ["--engine", "process", "--state-dir", str(tmp_path / "state")]
    done = env_up(*options, str(EXAMPLES / f"{example}.json"), script=script)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        output = json.loads(done.stdout.splitlines()[-1])
        raised = [
            kind for kind in ("oz_worker", "op_worker", "cluster_worker") for _ in output[f"{kind}_nodes"]
        ]
        assert raised == kinds
        assert len(output["pids"]) == len(output["cluster_manager_nodes"]) * 2 + len(kinds)
    finally:
        processes.stop(processes.members(tmp_path / "state"), tmp_path / "state")


@pytest.mark.slow
def test_original_command_line_works_and_cleanup_stops_just_that_environment(
    environment: Raised, tmp_path: Path
) -> None:
    arguments = ["--bin-worker", ".", "--bin-oz", "oz-worker", "--bin-cm", "cluster_manager"]
    example = "bamboos/example_env/single_oz_and_provider.json"
    done = env_up(
        *arguments, "--state-dir", str(tmp_path / "state"), "--logdir", str(tmp_path / "logs"), example
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "starting LOCAL PROCESSES instead" in done.stdout
    saved = tmp_path / "out.log"
    saved.write_text(done.stdout)
    started = processes.members(tmp_path / "state")
    assert len(started) >= 6
    assert any((tmp_path / "logs").iterdir())
    subprocess.run(
        [sys.executable, str(SCRIPTS / "cleanup.py"), "--remove-state", str(saved)], check=True, timeout=60
    )
    assert processes.members(tmp_path / "state") == []
    assert not (tmp_path / "state").exists()
    assert len(processes.members(environment.folder)) >= 6


@pytest.mark.slow
def test_killed_redis_is_back_within_three_seconds(tmp_path: Path) -> None:
    raised = raise_environment("provider_without_zone", tmp_path / "state")
    try:
        pid_file = raised.node_folder("redis@", "krk") / "redis.pid"
        first = raised.pid("redis@", "krk")
        assert int(pid_file.read_text()) == first
        kill(first)

        def replaced() -> bool:
            text = pid_file.read_text() if pid_file.exists() else ""
            return text.strip().isdigit() and int(text) != first

        wait_until(replaced, 3.0, "Redis is not back")
        raised.wait_healthy("krk")
    finally:
        raised.stop()


@pytest.mark.slow
@pytest.mark.parametrize("example", ["single_oz_and_two_workers", "single_oz_two_providers"])
def test_every_provider_node_of_the_larger_examples_serves_files(example: str, tmp_path: Path) -> None:
    raised = raise_environment(example, tmp_path / "state")
    try:
        session = raised.session(raised.token())
        doors = [
            raised.address(instance, node)
            for instance, domain in raised.output["domain_mappings"].items()
            if instance != "oz"
            for node in range(len(raised.output["domains"][domain]["a"]))
        ]
        assert len(doors) == 2
        for number, door in enumerate(doors):
            url = f"https://{door}/cdmi/first/file-{number}"
            assert session.put(url, data=b"content").status_code == 201
            assert session.get(url).content == b"content"
        if example == "single_oz_and_two_workers":
            assert session.get(f"https://{doors[0]}/cdmi/first/file-1").content == b"content"
    finally:
        raised.stop()


@pytest.mark.slow
def test_an_environment_raised_again_finds_its_users_and_files(tmp_path: Path) -> None:
    raised = raise_environment("single_oz_and_provider", tmp_path / "state")
    token = raised.token()
    url = f"https://{raised.address('krk')}/cdmi/first/kept.txt"
    assert raised.session(token).put(url, data=b"kept").status_code == 201
    raised.stop()
    again = raise_environment("single_oz_and_provider", tmp_path / "state")
    try:
        assert again.output["domains"] == raised.output["domains"]
        content = again.session(token).get(url).content
        assert content == b"kept"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=5)
    finally:
        again.stop()

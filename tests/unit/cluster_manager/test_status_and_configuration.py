"""The status cache, the configuration, the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.application.service import IService

from cluster_manager.config import ClusterManagerConfig
from cluster_manager.leadership import sole_term
from cluster_manager.status import NODE_DOWN, StatusCache, first_problem, gather
from cluster_manager.tap import Options, makeService
from cluster_worker.runtime.configuration import ConfigurationError, load_configuration
from cluster_worker.wire.connections import Address
from cluster_worker.wire.health_messages import ClusterStatus
from cluster_worker.wire.steps import BOOT_STEPS

WELL = ClusterStatus((("a", (("node_manager", "ok"),)),))
SICK = ClusterStatus((("a", (("node_manager", "ok"), ("x", "out_of_sync"))),))


def test_status_without_problems_is_kept_for_its_lifetime() -> None:
    cache = StatusCache(15.0)
    cache.put(WELL, 100.0)
    assert cache.get(114.9) == WELL and cache.get(115.0) is None


def test_status_with_a_problem_is_kept_for_a_second() -> None:
    cache = StatusCache(15.0)
    cache.put(SICK, 100.0)
    assert cache.get(100.9) == SICK and cache.get(101.0) is None


def test_cleared_cache_gives_nothing() -> None:
    cache = StatusCache(15.0)
    cache.put(WELL, 100.0)
    cache.clear()
    assert cache.get(100.0) is None


def test_first_problem_names_component_and_node() -> None:
    assert first_problem(WELL) is None
    assert first_problem(SICK) == "x of a: out_of_sync"


def test_gathered_status_is_sorted_by_node() -> None:
    assert [node for node, _ in gather({"b": NODE_DOWN, "a": NODE_DOWN}).nodes] == ["a", "b"]


def test_sole_manager_that_starts_later_has_a_greater_term(tmp_path: Path) -> None:
    term = sole_term(tmp_path / "term", 1000.001)
    assert term == 1000001 < sole_term(tmp_path / "term", 1000.002)


def test_sole_manager_whose_clock_was_set_back_has_a_greater_term_nevertheless(tmp_path: Path) -> None:
    term = sole_term(tmp_path / "state" / "term", 1000.0)
    assert sole_term(tmp_path / "state" / "term", 10.0) == term + 1


@pytest.mark.parametrize("text", ["cluster_manager.lease_renew_s=2.0", "redis.url=memory:"])
def test_lease_that_cannot_work_is_refused(text: str, tmp_path: Path) -> None:
    section, _, option = text.partition(".")
    name, _, value = option.partition("=")
    path = tmp_path / "manager.toml"
    path.write_text(f"[{section}]\n{name} = {value if section != 'redis' else repr(value)}\n")
    with pytest.raises(ConfigurationError):
        load_configuration(ClusterManagerConfig, str(path), {}, "CLUSTER_MANAGER")


def test_configuration_without_a_file_is_safe_and_local() -> None:
    settings = load_configuration(ClusterManagerConfig, None, {}, "CLUSTER_MANAGER").settings()
    assert settings.listen == Address("127.0.0.1", 5055)
    assert settings.rules.worker_num == settings.rules.owners == 1
    assert set(settings.rules.step_timeouts_s) == set(BOOT_STEPS)


def test_configuration_reports_all_problems_together(tmp_path: Path) -> None:
    file = tmp_path / "cm.toml"
    file.write_text('[cluster_manager]\nworker_num = 0\nport = 70000\nwrong = 1\n[tls]\nca = "x"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(ClusterManagerConfig, str(file), {}, "CLUSTER_MANAGER")
    text = "\n".join(caught.value.problems)
    for part in ("worker_num", "port", "wrong", "ca, cert and key belong together"):
        assert part in text


def test_service_of_the_command_line_makes_its_certificates_once(tmp_path: Path) -> None:
    file = tmp_path / "cm.toml"
    file.write_text(f'state_dir = "{tmp_path}/state"\n')
    options = Options()
    options.parseOptions(["--config", str(file)])
    assert IService.providedBy(makeService(options))
    made = (tmp_path / "state" / "certs" / "node_cert.pem").read_bytes()
    with pytest.raises(SystemExit):  # the first one has the state folder
        makeService(options)
    assert (tmp_path / "state" / "certs" / "node_cert.pem").read_bytes() == made


def test_command_line_names_what_is_wrong_in_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options()
    options.parseOptions(["--config", str(tmp_path / "missing.toml")])
    with pytest.raises(SystemExit):
        makeService(options)
    assert "missing.toml" in capsys.readouterr().err

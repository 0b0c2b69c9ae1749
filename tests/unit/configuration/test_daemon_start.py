"""What a daemon does before it starts: state folder, secrets, log files, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from twisted.application.service import Service
from twisted.logger import Logger, LogPublisher

from cluster_worker.config import ClusterWorkerConfig
from cluster_worker.runtime.daemon import DaemonOptions, configuration_of, make_or_refuse
from cluster_worker.runtime.log_files import LogFiles, LogSection
from cluster_worker.runtime.state_folder import (
    StateFolderInUse,
    claim_state_folder,
    read_or_make_secret,
    write_secret,
)


def test_state_folder_is_private_and_has_one_owner(tmp_path: Path) -> None:
    folder = str(tmp_path / "deep" / "state")
    claim = claim_state_folder(folder)
    assert claim.path.stat().st_mode & 0o777 == 0o700
    with pytest.raises(StateFolderInUse, match="already runs on the state folder"):
        claim_state_folder(folder)
    claim.stopService()
    claim.release()
    claim_state_folder(folder).release()


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert read_or_make_secret(path, lambda: "first") == "first"
    assert read_or_make_secret(path, lambda: "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    write_secret(path, "third")
    assert path.read_text() == "third\n"
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_log_files_take_everything_from_their_level_on(tmp_path: Path) -> None:
    publisher = LogPublisher()
    log = Logger(observer=publisher)
    files = LogFiles(
        tmp_path / "log", LogSection(), daemon="op_worker", node="worker@w1", publisher=publisher
    )
    files.startService()
    log.debug("quiet")
    log.info("normal {thing}", thing=json.dumps("x"))
    log.error("bad")
    files.stopService()
    log.error("too late")
    info, error = ((tmp_path / "log" / name).read_text() for name in ("info.log", "error.log"))
    assert [line.rpartition("#")[2] for line in info.splitlines()] == ['info] normal "x"', "error] bad"]
    assert [line.rpartition("#")[2] for line in error.splitlines()] == ["error] bad"]


def test_wrong_configuration_ends_the_start_with_every_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text("a = 1\nb = 2\n")
    options = DaemonOptions()
    options.parseOptions(["--config", str(path)])
    with pytest.raises(SystemExit) as caught:
        configuration_of(options, ClusterWorkerConfig, {}, "CLUSTER_WORKER")
    assert caught.value.code == 1
    assert capsys.readouterr().err == (
        "cannot start: the configuration cannot be used:\n  a: no such option\n  b: no such option\n"
    )


def test_without_options_the_defaults_are_used() -> None:
    options = DaemonOptions()
    options.parseOptions([])
    assert configuration_of(options, ClusterWorkerConfig, {}, "CLUSTER_WORKER") == ClusterWorkerConfig()


def test_expected_problem_is_a_sentence_and_others_pass_through(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(error: Exception) -> Service:
        raise error

    with pytest.raises(SystemExit):
        make_or_refuse(lambda: fail(OSError("no room")), (OSError,))
    assert capsys.readouterr().err == "cannot start: no room\n"
    with pytest.raises(ValueError, match="a bug"):
        make_or_refuse(lambda: fail(ValueError("a bug")), (OSError,))
    service = Service()
    assert make_or_refuse(lambda: service, (OSError,)) is service

"""What a daemon's configuration accepts, and how it tells what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from attrs import field, frozen
from attrs.validators import ge, le

from cluster_worker.runtime.configuration import ConfigurationError, load_configuration


class Durability(Enum):
    PROCESS = "process"
    POWER = "power"


@frozen(kw_only=True)
class DoorSection:
    """The door."""

    port: int = field(default=443, validator=[ge(1), le(65535)])
    nodes: tuple[str, ...] = ()
    wait_s: float = 1.5
    password: str | None = field(default=None, repr=False)
    secret_count: int = field(default=0, repr=False)
    open: bool = False
    level: Literal["low", "high"] = "low"
    durability: Durability = Durability.PROCESS
    hosts: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class PersonSection:
    """A person."""

    token_file: str | None = None


@frozen(kw_only=True)
class Daemon:
    """A daemon."""

    state_dir: str = "var"
    http: DoorSection = field(factory=DoorSection)
    people: Mapping[str, PersonSection] = field(factory=dict)


@frozen(kw_only=True)
class Needy:
    """Has an option without a default, and a rule over two options."""

    first: int
    second: int = 0

    def __attrs_post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError("first and second must differ")


def load(text: str | None, folder: Path, environment: Mapping[str, str] | None = None) -> Daemon:
    path = None
    if text is not None:
        path = str(folder / "daemon.toml")
        Path(path).write_text(text)
    return load_configuration(Daemon, path, environment or {}, "OP_WORKER")


def problems_of(text: str, folder: Path, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, folder, environment)
    return caught.value.problems


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    assert load(None, tmp_path) == Daemon()


def test_values_of_every_kind_come_from_the_file(tmp_path: Path) -> None:
    text = """
        state_dir = "/srv"
        [http]
        port = 8443
        nodes = ["a:1", "b:2"]
        wait_s = 3
        open = true
        level = "high"
        durability = "power"
        hosts = {"zone.test" = "127.0.0.2"}
        [people.ann]
        token_file = "/ann"
    """
    config = load(text, tmp_path)
    door = config.http
    assert (config.state_dir, door.port, door.nodes, door.wait_s) == ("/srv", 8443, ("a:1", "b:2"), 3.0)
    assert (door.open, door.level, door.durability) == (True, "high", Durability.POWER)
    assert door.hosts == {"zone.test": "127.0.0.2"}
    assert config.people["ann"].token_file == "/ann"


def test_overlays_win_over_the_file_in_name_order(tmp_path: Path) -> None:
    overlays = tmp_path / "daemon.d"
    overlays.mkdir()
    (overlays / "20-later.toml").write_text("[http]\nport = 3\n")
    (overlays / "10-early.toml").write_text("[http]\nport = 2\nwait_s = 9.0\n")
    (overlays / "README").write_text("not a configuration")
    config = load('state_dir = "/srv"\n[http]\nport = 1\n', tmp_path)
    assert (config.state_dir, config.http.port, config.http.wait_s) == ("/srv", 3, 9.0)


def test_environment_wins_over_every_file(tmp_path: Path) -> None:
    environment = {
        "OP_WORKER__HTTP__PORT": "5",
        "OP_WORKER__HTTP__NODES": "a:1, b:2",
        "OP_WORKER__HTTP__OPEN": "true",
        "OP_WORKER__HTTP__WAIT_S": "0.25",
        "OP_WORKER__HTTP__HOSTS": '{"a.b" = "127.0.0.1"}',
        "OP_WORKER__HTTP__PASSWORD": "12345",
        "OP_WORKER__HTTP__LEVEL": "high",
        "OP_WORKER__HTTP__DURABILITY": "power",
        "OP_WORKER__PEOPLE__ANN__TOKEN_FILE": "/x",
        "OZ_WORKER__HTTP__PORT": "no business of ours",
    }
    config = load("[http]\nport = 1\n", tmp_path, environment)
    door = config.http
    assert (door.port, door.nodes, door.open, door.wait_s) == (5, ("a:1", "b:2"), True, 0.25)
    assert (door.hosts, door.password, door.level) == ({"a.b": "127.0.0.1"}, "12345", "high")
    assert door.durability is Durability.POWER
    assert config.people["ann"].token_file == "/x"


def test_list_in_the_environment_may_be_toml(tmp_path: Path) -> None:
    config = load(None, tmp_path, {"OP_WORKER__HTTP__NODES": '["a,b", "c"]'})
    assert config.http.nodes == ("a,b", "c")


def test_empty_variable_unsets_an_optional_value(tmp_path: Path) -> None:
    config = load('[http]\npassword = "x"\n', tmp_path, {"OP_WORKER__HTTP__PASSWORD": ""})
    assert config.http.password is None


def test_every_problem_is_reported_together_with_its_path(tmp_path: Path) -> None:
    text = """
        state_dir = 5
        stat = "x"
        [http]
        port = 70000
        nodes = "a"
        open = "yes"
        level = "middle"
        durability = "none"
        hosts = {a = 1}
        [people]
        ann = 3
    """
    problems = problems_of(text, tmp_path, {"OP_WORKER__HTTP__WAIT_S": "soon"})
    assert [problem.split(":")[0] for problem in problems] == [
        "stat",
        "state_dir",
        "http.port",
        "http.nodes",
        "http.wait_s",
        "http.open",
        "http.level",
        "http.durability",
        "http.hosts.a",
        "people.ann",
    ]
    assert problems[0] == "stat: no such option (did you mean state_dir?)"
    assert problems[4] == "http.wait_s: expected a number, got 'soon'"
    assert problems[6] == "http.level: expected one of low, high, got 'middle'"


def test_true_is_not_an_integer(tmp_path: Path) -> None:
    assert problems_of("[http]\nport = true\n", tmp_path) == ("http.port: expected an integer, got True",)


def test_secret_values_are_not_shown_in_problems(tmp_path: Path) -> None:
    (problem,) = problems_of('[http]\nsecret_count = "hunter2"\n', tmp_path)
    assert problem == "http.secret_count: expected an integer"


def test_missing_file_is_named_in_the_problem(tmp_path: Path) -> None:
    path = str(tmp_path / "absent.toml")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(Daemon, path, {}, "OP_WORKER")
    assert caught.value.problems == (f"{path}: No such file or directory",)


def test_syntax_error_tells_the_file_and_the_line(tmp_path: Path) -> None:
    (problem,) = problems_of("[http\nport = 1\n", tmp_path)
    assert problem.startswith(f"{tmp_path}/daemon.toml: not valid TOML")
    assert "line 1" in problem


def test_section_that_gets_a_value_is_refused(tmp_path: Path) -> None:
    (tmp_path / "daemon.d").mkdir()
    (tmp_path / "daemon.d" / "a.toml").write_text("http = 3\n")
    (problem,) = problems_of("[http]\nport = 1\n", tmp_path)
    assert "http: is a section" in problem


def test_unknown_variable_of_our_prefix_is_refused(tmp_path: Path) -> None:
    problems = problems_of("", tmp_path, {"OP_WORKER__HTTP__PROT": "1", "OP_WORKER__NOTHING": "1"})
    assert problems == ("nothing: no such option", "http.prot: no such option (did you mean port?)")


def test_variable_below_another_variable_is_refused(tmp_path: Path) -> None:
    environment = {"OP_WORKER__STATE_DIR": "x", "OP_WORKER__STATE_DIR__B": "y"}
    (problem,) = problems_of("", tmp_path, environment)
    assert problem.startswith("OP_WORKER__STATE_DIR__B: ")


def test_required_option_without_value_is_reported() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(Needy, None, {}, "N")
    assert caught.value.problems == ("first: required",)


def test_rule_over_several_options_is_reported() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(Needy, None, {"N__FIRST": "0"}, "N")
    assert caught.value.problems == ("Needy: first and second must differ",)


def test_section_given_as_broken_toml_text_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of("", tmp_path, {"OP_WORKER__HTTP": "{port"})
    assert problem.startswith("http: not a TOML value")


def test_section_may_come_whole_from_the_environment(tmp_path: Path) -> None:
    assert load(None, tmp_path, {"OP_WORKER__HTTP": "{port = 7}"}).http.port == 7

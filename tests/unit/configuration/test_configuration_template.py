"""The commented TOML that is printed from configuration classes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest
from attrs import field, frozen

from cluster_worker.runtime.configuration import load_configuration, main
from cluster_worker.runtime.configuration_template import commented_toml


class Mode(Enum):
    FAST = "fast"


@frozen(kw_only=True)
class Inner:
    """The inner section, explained in a sentence that is long enough to need more than one line of text."""

    names: tuple[str, ...] = field(default=("a", "b"), metadata={"help": "Names."})
    mode: Mode = field(default=Mode.FAST, metadata={"help": "How."})
    hosts: Mapping[str, str] = field(
        factory=lambda: {"zone.test": "127.0.0.2"}, metadata={"help": "Domain to address."}
    )


@frozen(kw_only=True)
class Person:
    """Somebody."""

    file: str | None = field(default=None, metadata={"help": "A file.", "example": "/etc/x"})


@frozen(kw_only=True)
class Hidden:
    """Has an option that is better shown without a value."""

    word: str | None = field(default=None, metadata={"help": "A word."})


@frozen(kw_only=True)
class Outer:
    """Everything."""

    count: int = field(default=3, metadata={"help": "How many."})
    is_on: bool = field(default=True, metadata={"help": "Whether."})
    text: str = field(default='say "hi"', metadata={"help": "What."})
    inner: Inner = field(factory=Inner)
    people: Mapping[str, Person] = field(factory=dict)


@frozen(kw_only=True)
class Demanding:
    """Has an option without default."""

    size: int = field(metadata={"help": "How large.", "example": 4})


def test_template_loads_to_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "outer.toml"
    path.write_text(commented_toml(Outer))
    assert load_configuration(Outer, str(path), {}, "X") == Outer()


def test_uncommented_template_names_every_option() -> None:
    text = re.sub(r"^#(?=[\w\[])", "", commented_toml(Outer), flags=re.MULTILINE)
    assert tomllib.loads(text) == {
        "count": 3,
        "is_on": True,
        "text": 'say "hi"',
        "inner": {"names": ["a", "b"], "mode": "fast", "hosts": {"zone.test": "127.0.0.2"}},
        "people": {"NAME": {"file": "/etc/x"}},
    }


def test_every_option_is_preceded_by_its_meaning() -> None:
    assert "# How many.\n#count = 3\n" in commented_toml(Outer)


def test_option_without_default_value_shows_an_example() -> None:
    assert '# A file.\n# Not set by default.\n#file = "/etc/x"\n' in commented_toml(Outer)


def test_option_without_example_shows_only_its_name() -> None:
    assert "# A word.\n# Not set by default.\n#word =\n" in commented_toml(Hidden)


def test_required_option_says_that_it_is_required() -> None:
    assert "# Required.\n#size = 4\n" in commented_toml(Demanding)


def test_lines_of_the_template_are_short() -> None:
    assert max(len(line) for line in commented_toml(Outer).splitlines()) <= 100


def test_command_prints_the_template_of_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster_worker.config:ClusterWorkerConfig"]) == 0
    assert capsys.readouterr().out.startswith("# ")


def test_command_refuses_what_is_not_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert main(["pathlib:Path"]) == 2
    assert "not a configuration class" in capsys.readouterr().err

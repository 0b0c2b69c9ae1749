"""Which options differ, which of them may change at once, and what is made of two configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from attrs import field, fields, frozen, has, resolve_types

from cluster_worker.runtime.configuration_changes import OptionChange, changed_options, with_reloadable
from tests.unit.configuration.test_default_files import CLASSES, configuration_class

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


@frozen(kw_only=True)
class Section:
    level: str = field(default="info", metadata={"reload": True})
    port: int = 1

    def __attrs_post_init__(self) -> None:
        if self.level == "info" and self.port > 9:
            raise ValueError("such a port needs another level")


@frozen(kw_only=True)
class Config:
    timeout_s: float = field(default=1.0, metadata={"reload": True})
    name: str = "n"
    section: Section = field(factory=Section)
    users: Mapping[str, Section] = field(factory=dict)


def test_nothing_differs_between_equals() -> None:
    assert changed_options(Config(), Config()) == ()


def test_every_difference_is_told_with_its_path_and_whether_it_may_change() -> None:
    new = Config(timeout_s=2.0, name="m", section=Section(level="warn", port=2), users={"a": Section()})
    assert changed_options(Config(), new) == (
        OptionChange("timeout_s", True),
        OptionChange("name", False),
        OptionChange("section.level", True),
        OptionChange("section.port", False),
        OptionChange("users", False),
    )


def test_only_reloadable_options_are_taken_over() -> None:
    new = Config(timeout_s=2.0, name="m", section=Section(level="warn", port=2))
    taken = with_reloadable(Config(), new)
    assert taken == Config(timeout_s=2.0, section=Section(level="warn"))
    assert [change.path for change in changed_options(taken, new)] == ["name", "section.port"]


def test_values_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="another level"):
        with_reloadable(Config(section=Section(level="warn", port=10)), Config())


def reloadable(cls: type[Any], at: str = "") -> Iterator[str]:
    for attribute in fields(resolve_types(cls)):
        if has(attribute.type):
            yield from reloadable(attribute.type, f"{at}{attribute.name}.")
        elif attribute.metadata.get("reload"):
            yield f"{at}{attribute.name}"


@pytest.mark.parametrize("name", CLASSES)
def test_the_page_lists_what_may_change_while_a_daemon_runs(name: str) -> None:
    documented = dict(re.findall(r"^\| `([\w.*]+)` \| ([\w, -]+) \| when", PAGE.read_text(), re.MULTILINE))
    daemon = name.replace("_", "-")
    listed = {option for option, daemons in documented.items() if daemon in daemons.split(", ")}
    assert listed == set(reloadable(configuration_class(name)))
    assert import_module(f"{name}.config")

"""The files under etc/ are what the configuration classes say."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from attrs import fields, has, resolve_types

from cluster_worker.runtime.configuration import load_configuration
from cluster_worker.runtime.configuration_template import commented_toml

ETC = Path(__file__).resolve().parents[3] / "etc"
CLASSES = {
    "op_worker": "OpWorkerConfig",
    "oz_worker": "OzWorkerConfig",
    "cluster_manager": "ClusterManagerConfig",
    "cluster_worker": "ClusterWorkerConfig",
}


def configuration_class(name: str) -> type[Any]:
    found: type[Any] = getattr(import_module(f"{name}.config"), CLASSES[name])
    return found


@pytest.mark.parametrize("name", CLASSES)
def test_default_file_is_what_its_classes_print(name: str) -> None:
    printed = commented_toml(configuration_class(name))
    assert (ETC / f"{name}.toml").read_text() == printed, (
        f"run: python -m cluster_worker.runtime.configuration {name}.config:{CLASSES[name]} > etc/{name}.toml"
    )


@pytest.mark.parametrize("name", CLASSES)
def test_default_file_loads_to_the_defaults(name: str) -> None:
    cls = configuration_class(name)
    assert load_configuration(cls, str(ETC / f"{name}.toml"), {}, name.upper()) == cls()


@pytest.mark.parametrize("name", CLASSES)
def test_every_section_and_option_says_what_it_means(name: str) -> None:
    assert list(_silent(configuration_class(name), name)) == []


def _silent(cls: type[Any], path: str) -> Any:
    if not inspect.getdoc(cls):
        yield path
    for attribute in fields(resolve_types(cls)):
        if has(attribute.type):
            yield from _silent(attribute.type, f"{path}.{attribute.name}")
        elif not attribute.metadata.get("help") and "Mapping" not in str(attribute.type):
            yield f"{path}.{attribute.name}"


def test_there_is_one_default_file_for_each_daemon() -> None:
    assert sorted(path.stem for path in ETC.glob("*.toml")) == sorted(CLASSES)

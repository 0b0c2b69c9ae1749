"""Environment descriptions are read whole and judged whole."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from bamboos.environment.addresses import Addresses, with_port
from bamboos.environment.description import DescriptionError, load, parse
from bamboos.environment.names import Names
from bamboos.environment.validation import problems

EXAMPLES = Path(__file__).parents[3] / "bamboos" / "example_env"
SINGLE = json.loads((EXAMPLES / "single_oz_and_provider.json").read_text())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_environment_has_no_problem(path: Path) -> None:
    assert problems(load(path)) == []


def changed(*path_and_value: Any) -> dict[str, Any]:
    """The single-provider example with the value at a path of keys replaced."""
    document: dict[str, Any] = copy.deepcopy(SINGLE)
    *path, last, value = path_and_value
    place = document
    for key in path:
        place = place[key]
    place[last] = value
    return document


SPACE = ("global_setup", "spaces", "s1")
MANAGER = ("provider_domains", "krk", "cluster_manager", "cm1", "sys.config", "cluster_manager")
WORKER = ("provider_domains", "krk", "op_worker", "worker1", "sys.config", "op_worker")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (changed("provider_domains", "krk", "os_config", "nowhere"), "os_config 'nowhere'"),
        (changed("provider_domains", "krk", "db_driver", "oracle"), "db_driver 'oracle'"),
        (changed(*WORKER, "oz_domain", "mars"), "oz_domain 'mars'"),
        (changed(*WORKER, "cm_nodes", ["cm9"]), "cm_nodes names 'cm9'"),
        (changed(*MANAGER, "worker_num", 7), "worker_num is 7"),
        (changed(*SPACE, "users", ["nobody"]), "user 'nobody'"),
        (changed(*SPACE, "groups", ["nogroup"]), "group 'nogroup'"),
        (changed(*SPACE, "providers", "krk", "storage", "/mnt/none"), "storage '/mnt/none'"),
        (changed(*SPACE, "providers", "krk", "supported_size", 5), "supported_size 5"),
        (changed("global_setup", "users", "anna", "default_space", "s9"), "default_space 's9'"),
        (changed("global_setup", "providers", "krk", "creator", "ghost"), "user 'ghost'"),
        (changed("os_configs", "lab", "storages", [{"type": "s3", "name": "/mnt/alpha"}]), "type 's3'"),
    ],
)
def test_each_kind_of_mistake_is_named(document: dict[str, Any], expected: str) -> None:
    found = problems(parse(document))
    assert any(expected in problem for problem in found), found


def test_all_problems_are_listed_at_once() -> None:
    document = changed(*SPACE, "users", ["nobody"])
    document["provider_domains"]["krk"]["db_driver"] = "oracle"
    assert len(problems(parse(document))) >= 2


def test_unknown_keys_are_ignored_with_a_warning() -> None:
    assert "unknown key 'weather' is ignored" in parse({**SINGLE, "weather": "fine"}).warnings


def test_old_flat_configuration_is_wrapped_with_a_warning() -> None:
    node = {"sys.config": {"cm_nodes": ["cm1"], "oz_domain": "oz"}}
    description = parse(changed("provider_domains", "krk", "op_worker", "worker1", node))
    assert description.providers[0].zone == "oz"
    assert any("outside the section" in warning for warning in description.warnings)


def test_wrapper_objects_of_the_original_configuration_are_unwrapped() -> None:
    description = parse(changed(*WORKER, "oz_domain", {"string": "oz"}))
    assert description.providers[0].zone == "oz"


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "{", '{"os_configs": 5}', '{"global_setup": {"spaces": {"s": 1}}}']
)
def test_a_document_that_is_no_description_is_refused_with_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "env.json"
    path.write_text(text)
    with pytest.raises(DescriptionError, match=r"env\.json"):
        load(path)


def test_names_follow_the_scheme_of_the_original() -> None:
    names = Names("1700000000")
    assert names.worker("worker1", "krk") == "worker@worker1.krk.1700000000.test"
    assert names.manager("cm", "oz") == "cm@cm.oz.1700000000.test"
    assert names.domain("oz") == "oz.1700000000.test"


def test_each_host_gets_its_own_address_and_keeps_it() -> None:
    addresses = Addresses(443, lambda: "127.9.9")
    first, second = addresses.of("a"), addresses.of("b")
    assert first != second
    assert first == "127.9.9.2"
    assert addresses.of("a") == first
    again = Addresses(443, lambda: "127.8.8", dict(addresses.given))
    assert again.of("b") == second
    assert again.of("c").startswith("127.9.9.")


@pytest.mark.parametrize(("port", "expected"), [(443, "127.0.0.9"), (8443, "127.0.0.9:8443")])
def test_a_domain_carries_the_port_only_when_it_is_not_the_standard_one(port: int, expected: str) -> None:
    assert with_port("127.0.0.9", port) == expected

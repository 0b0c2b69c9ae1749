"""The environment description: a JSON document read into frozen values.

Unknown keys are ignored with a warning, as the original scripts do; `validation.py` judges the
result before anything is started.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bamboos.environment.accounts import Accounts

KNOWN_TOP_LEVEL = {
    "dirs_config",
    "os_configs",
    "zone_domains",
    "provider_domains",
    "cluster_domains",
    "appmock_domains",
    "onepanel_domains",
    "oneclient",
    "global_setup",
    "suffix",
}

IGNORED = {
    "gui_override": "there are no static pages to replace",
    "db_docker_host": "the database starts beside the nodes",
}
"""Keys of the original that have no effect here, and why."""


class DescriptionError(Exception):
    """The document cannot be read as an environment description at all."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A storage that a site's operating system offers. ``options`` are the keys besides type and name."""

    type: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One cluster: a zone, a provider, or a bare cluster-worker.

    ``variables`` are the application's settings of each worker; ``manager_variables`` of each manager.
    """

    name: str
    db_driver: str
    os_config: str | None
    managers: Mapping[str, Mapping[str, Any]]
    workers: Mapping[str, Mapping[str, Any]]

    def manager_names(self) -> Sequence[str]:
        """The managers in the order that workers try them."""
        for variables in self.workers.values():
            if named := variables.get("cm_nodes"):
                return [str(plain(name)) for name in named]
        return list(self.managers)

    @property
    def zone(self) -> str | None:
        """The zone instance that this provider belongs to."""
        for variables in self.workers.values():
            if named := variables.get("oz_domain"):
                return str(plain(named))
        return None


@dataclass(frozen=True, kw_only=True)
class Space:
    """A space of the global set-up. ``supports`` maps a provider to (storage name, bytes)."""

    name: str
    displayed_name: str
    users: Sequence[str]
    groups: Sequence[str]
    supports: Mapping[str, tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of the global set-up, with its direct members."""

    name: str
    users: Sequence[str]
    groups: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Users, groups, spaces and provider owners that are made after boot."""

    users: Mapping[str, str | None]
    groups: Sequence[Group]
    spaces: Sequence[Space]
    provider_creators: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Description:
    """The whole environment, and the ``document`` that describes it.

    ``warnings`` tells what of the document was left out of account.
    """

    document: Mapping[str, Any]
    storages: Mapping[str, Sequence[Storage]]
    accounts: Mapping[str, Accounts]
    zones: Sequence[Instance]
    providers: Sequence[Instance]
    clusters: Sequence[Instance]
    setup: Setup | None
    suffix: str
    warnings: Sequence[str]


def plain(value: Any) -> Any:
    """Unwrap the two wrapper objects of the original configuration, ``{"string": x}`` and ``{"atom": x}``."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("string", "atom"):
        return next(iter(value.values()))
    return value


def load(path: Path, part_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict) -> Description:
    """Read a description, or the part of its document that ``part_of`` returns.

    Raises: DescriptionError when it is no JSON object or cannot be opened.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DescriptionError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise DescriptionError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise DescriptionError(f"{path} must hold a JSON object")
    try:
        return parse(part_of(document))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DescriptionError(f"{path} does not have the shape of an environment: {error!r}") from error


def parse(document: Mapping[str, Any]) -> Description:
    """Read the parsed JSON document into values."""
    warnings = [f"unknown key {key!r} is ignored" for key in document if key not in KNOWN_TOP_LEVEL]
    for key in ("appmock_domains", "onepanel_domains", "oneclient"):
        if document.get(key):
            warnings.append(f"{key!r} cannot be raised and is left out")
    return Description(
        document=document,
        storages={name: _storages(part) for name, part in document.get("os_configs", {}).items()},
        accounts={name: _accounts(part) for name, part in document.get("os_configs", {}).items()},
        zones=_instances(document.get("zone_domains", {}), "oz_worker", warnings),
        providers=_instances(document.get("provider_domains", {}), "op_worker", warnings),
        clusters=_instances(document.get("cluster_domains", {}), "cluster_worker", warnings),
        setup=_setup(document["global_setup"]) if document.get("global_setup") else None,
        suffix=str(document.get("suffix", "test")),
        warnings=warnings,
    )


def _storages(os_config: Mapping[str, Any]) -> Sequence[Storage]:
    found = []
    for entry in os_config.get("storages", []):
        if isinstance(entry, str):  # the deprecated form of a posix entry
            found.append(Storage(type="posix", name=entry))
        else:
            options = {key: value for key, value in entry.items() if key not in ("type", "name")}
            found.append(Storage(type=entry["type"], name=entry["name"], options=options))
    return found


def _accounts(os_config: Mapping[str, Any]) -> Accounts:
    groups = {name: list(members) for name, members in os_config.get("groups", {}).items()}
    return Accounts(users=list(os_config.get("users", [])), groups=groups)


def _instances(domains: Mapping[str, Any], application: str, warnings: list[str]) -> Sequence[Instance]:
    for name, domain in domains.items():
        warnings += [f"{name}: {key!r} is ignored, {why}" for key, why in IGNORED.items() if key in domain]
    return [
        Instance(
            name=name,
            db_driver=str(domain.get("db_driver", "couchdb")),
            os_config=domain.get("os_config"),
            managers=_nodes(name, domain.get("cluster_manager", {}), "cluster_manager", warnings),
            workers=_nodes(name, domain.get(application, {}), application, warnings),
        )
        for name, domain in domains.items()
    ]


def _nodes(
    instance: str, nodes: Mapping[str, Any], application: str, warnings: list[str]
) -> Mapping[str, Mapping[str, Any]]:
    found = {}
    for name, node in nodes.items():
        sections = node.get("sys.config", {})
        if application in sections and isinstance(sections[application], dict):
            found[name] = {key: plain(value) for key, value in sections[application].items()}
        else:  # the old flat form: variables directly below sys.config
            if sections:
                warnings.append(f"{instance}/{name}: variables outside the section {application!r}")
            found[name] = {key: plain(value) for key, value in sections.items()}
    return found


def _setup(part: Mapping[str, Any]) -> Setup:
    return Setup(
        users={name: (user or {}).get("default_space") for name, user in part.get("users", {}).items()},
        groups=[
            Group(name=name, users=list(group.get("users", [])), groups=list(group.get("groups", [])))
            for name, group in part.get("groups", {}).items()
        ],
        spaces=[_space(name, space) for name, space in part.get("spaces", {}).items()],
        provider_creators={
            name: provider["creator"]
            for name, provider in part.get("providers", {}).items()
            if provider.get("creator")
        },
    )


def _space(name: str, space: Mapping[str, Any]) -> Space:
    return Space(
        name=name,
        displayed_name=str(space.get("displayed_name") or name),
        users=list(space.get("users", [])),
        groups=list(space.get("groups", [])),
        supports={
            provider: (str(support["storage"]), int(support["supported_size"]))
            for provider, support in space.get("providers", {}).items()
        },
    )

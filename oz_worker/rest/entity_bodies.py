"""Bodies that make or change spaces and groups, into records and changes of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from onedata.errors import BadData, BadValueEmpty
from onedata.tokens.subjects import Subject
from oz_worker.fresh import Fresh, id_from_seed
from oz_worker.records import Changes, Group, Space
from oz_worker.values import GROUP_TYPES, Body

SPACE_KEYS: Final = (
    "name",
    "description",
    "organizationName",
    "tags",
    "advertisedInMarketplace",
    "marketplaceContactEmail",
)
MARKETPLACE_KEYS: Final = ("advertisedInMarketplace", "marketplaceContactEmail")


def new_space(body: Body, fresh: Fresh, creator: Subject) -> Space:
    """Return the space that a body describes; ``idGeneratorSeed`` makes its id repeatable."""
    body.name()
    seed = body.text("idGeneratorSeed", limit=1024) if "idGeneratorSeed" in body else None
    changes = space_changes(body)
    _demand_advertisable(changes)
    return Space(
        id=fresh.id() if seed is None else id_from_seed(seed),
        created_s=fresh.now_s(),
        creator=creator,
        **changes,
    )


def space_changes(body: Body) -> Changes:
    """Return the attributes of a space that a body sets, named as in ``records.Space``."""
    readers: dict[str, tuple[str, Callable[[str], object]]] = {
        "name": ("name", body.name),
        "description": ("description", body.string),
        "organizationName": ("organization_name", lambda key: body.string(key, limit=256)),
        "tags": ("tags", lambda key: tuple(dict.fromkeys(body.strings(key)))),
        "advertisedInMarketplace": ("advertised", body.boolean),
        "marketplaceContactEmail": ("marketplace_contact", lambda key: _email(body, key)),
    }
    return {name: read(key) for key, (name, read) in readers.items() if key in body}


def demand_advertisable(space: Space, changes: Changes) -> None:
    """Demand what the marketplace needs of a space after ``changes``. Raises: BadValueEmpty, BadData."""
    present = {
        "advertised": space.advertised,
        "description": space.description,
        "organization_name": space.organization_name,
        "marketplace_contact": space.marketplace_contact,
    }
    _demand_advertisable({**present, **changes})


def new_group(body: Body, fresh: Fresh, creator: Subject) -> Group:
    """Return the group that a body describes."""
    name = body.name()
    changes = group_changes(body)
    return Group(
        id=fresh.id(),
        created_s=fresh.now_s(),
        creator=creator,
        name=name,
        type=str(changes.get("type", "team")),
    )


def group_changes(body: Body) -> Changes:
    """Return the attributes of a group that a body sets, named as in ``records.Group``."""
    changes: dict[str, Any] = {}
    if "name" in body:
        changes["name"] = body.name()
    if "type" in body:
        changes["type"] = body.choice("type", GROUP_TYPES)
    return changes


def _email(body: Body, key: str) -> str:
    return body.email(key) if body.string(key) else ""


def _demand_advertisable(values: Mapping[str, object]) -> None:
    if not values.get("advertised"):
        return
    for name, key in (("description", "description"), ("organization_name", "organizationName")):
        if not values.get(name):
            raise BadValueEmpty(key)
    if not values.get("marketplace_contact"):
        raise BadData("marketplaceContactEmail", "an advertised space needs a contact")

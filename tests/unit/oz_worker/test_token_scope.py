"""What a token reaches, narrowed by its caveats."""

from __future__ import annotations

from typing import Any

from onedata.ids import SpaceId, space_root_guid
from onedata.tokens.caveats import (
    Caveat,
    DataObjectIdCaveat,
    DataPathCaveat,
    DataReadonlyCaveat,
    ServiceCaveat,
    TimeCaveat,
)
from onedata.tokens.subjects import Service, ServiceKind
from oz_worker.records import Support
from oz_worker.scope import token_scope
from tests.unit.oz_worker.zone_records import provider, space, state_of, subject, user

MEMBER = {"anna": frozenset({"space_view"})}
STATE = state_of(
    user("anna"),
    provider("p", worker_version={"release": "21.02.8"}),
    provider("q"),
    space("s", users=MEMBER, supports={"p": Support({"d": 1}), "q": Support({"e": 1}, frozenset({"e"}))}),
    space("t", users=MEMBER),
    space("foreign", users={"bob": frozenset()}, supports={"p": Support({"d": 1})}),
)


def scope(*caveats: Caveat) -> Any:
    return token_scope(STATE, subject("anna"), caveats, {"p"})["dataAccessScope"]


def test_whole_scope_has_the_published_shape() -> None:
    assert scope() == {
        "readonly": False,
        "spaces": {
            "s": {"name": "s", "supports": {"p": {"readonly": False}, "q": {"readonly": True}}},
            "t": {"name": "t", "supports": {}},
        },
        "providers": {
            "p": {"name": "p", "domain": "p.test", "version": "21.02.8", "online": True},
            "q": {"name": "q", "domain": "q.test", "version": "unknown", "online": False},
        },
    }


def test_readonly_caveat_is_told_as_such() -> None:
    assert scope(DataReadonlyCaveat())["readonly"] is True


def test_paths_and_objects_narrow_the_spaces_together() -> None:
    path = DataPathCaveat(("/s/dir", "/t"))
    assert set(scope(path)["spaces"]) == {"s", "t"}
    root = space_root_guid(SpaceId("t")).object_id()
    narrowed = scope(path, DataObjectIdCaveat((root,)))
    assert set(narrowed["spaces"]) == {"t"} and narrowed["providers"] == {}


def test_excluded_provider_disappears_from_supports_too() -> None:
    narrowed = scope(ServiceCaveat((Service(ServiceKind.OP_WORKER, "q"),)))
    assert set(narrowed["providers"]) == {"q"}
    assert set(narrowed["spaces"]["s"]["supports"]) == {"q"}
    assert set(scope(ServiceCaveat((Service(ServiceKind.OP_WORKER, "*"),)))["providers"]) == {"p", "q"}
    assert scope(ServiceCaveat((Service(ServiceKind.OZ_WORKER, "onezone"),)))["providers"] == {}


def test_earliest_end_is_told() -> None:
    reply = token_scope(STATE, subject("anna"), [TimeCaveat(20), TimeCaveat(10)], set())
    assert reply["validUntil"] == 10

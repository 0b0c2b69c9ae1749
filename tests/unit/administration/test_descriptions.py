"""Descriptions of storages as they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from onedata.errors import OnedataError
from op_worker.administration.descriptions import change_of, new_storages


def test_storages_are_read_by_name_with_their_parameters_flags_and_feed() -> None:
    body: dict[str, Any] = {
        "st": {
            "type": "posix",
            "mountPoint": "/mnt",
            "id": "x",
            "timeout": 5,
            "readonly": True,
            "importedStorage": "true",
            "qosParameters": {"tier": "fast", "speed": 3},
            "lumaFeed": "local",
        },
        "n": {"type": "nulldevice"},
    }
    first, second = new_storages(body)
    assert (first.name, first.type, first.storage_id) == ("st", "posix", "x")
    assert first.parameters == {"mountPoint": "/mnt", "timeout": "5"}
    assert first.flags == {"is_readonly": True, "is_imported": True}
    assert (first.qos, first.feed) == ({"tier": "fast", "speed": 3}, {"lumaFeed": "local"})
    assert (second.name, second.storage_id, second.parameters, second.qos) == ("n", None, {}, None)


def test_change_names_only_what_is_to_be_another() -> None:
    change = change_of({"name": "new", "secretKey": "s3cret", "skipStorageDetection": False})
    assert (change.name, change.type, change.qos) == ("new", None, None)
    assert change.parameters == {"secretKey": "s3cret"}
    assert change.flags == {"skips_detection": False}
    assert "s3cret" not in repr(change)


@pytest.mark.parametrize(
    ("read", "body", "error", "key"),
    [
        (new_storages, {"st": "posix"}, "badValueJSON", "st"),
        (new_storages, {"st": {}}, "missingRequiredValue", "type"),
        (new_storages, {"st": {"type": "posix", "name": "x"}}, "badData", "name"),
        (new_storages, {"st": {"type": "posix", "mountPoint": ["/"]}}, "badValueString", "mountPoint"),
        (new_storages, {"st": {"type": "posix", "readonly": "yes"}}, "badValueBoolean", "readonly"),
        (new_storages, {"st": {"type": "posix", "qosParameters": []}}, "badValueJSON", "qosParameters"),
        (change_of, {"qosParameters": {"a": True}}, "badData", "qosParameters.a"),
        (change_of, {"qosParameters": {"storageId": "x"}}, "badData", "qosParameters.storageId"),
        (change_of, {"id": "x"}, "badData", "id"),
        (change_of, {"name": ""}, "badValueString", "name"),
    ],
)
def test_wrong_descriptions_are_refused_by_key(read: Any, body: Any, error: str, key: str) -> None:
    with pytest.raises(OnedataError) as caught:
        read(body)
    assert (caught.value.id, (caught.value.details or {})["key"]) == (error, key)

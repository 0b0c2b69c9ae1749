"""Descriptions of storages, as they are sent to the admin door, into values. Pure.

Everything that reads one raises an ``OnedataError`` that names the part which is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from onedata.errors import (
    BadData,
    BadValueBoolean,
    BadValueJSON,
    BadValueString,
    MissingRequiredValue,
)
from onedata.ids import StorageId

Json = Mapping[str, object]

_MAX_TEXT_B = 8192
_MOST_PARAMETERS = 1000
_FLAGS = {
    "importedStorage": "is_imported",
    "readonly": "is_readonly",
    "skipStorageDetection": "skips_detection",
}
_FEED = ("lumaFeed", "lumaFeedUrl", "lumaFeedApiKey")
_QOS = "qosParameters"
_OURS = {"id", "type", "name", _QOS, *_FLAGS, *_FEED}


@frozen(kw_only=True)
class Description:
    """What is said of a storage; ``None`` and empty maps stand for what is not.

    Attributes:
        parameters: arguments and credentials of its type.
        flags: fields of ``StorageRecord`` by their names.
        qos: the parameters that rules of placement ask about.
        feed: what is said of the feed of its users.
    """

    name: str | None = None
    type: str | None = None
    storage_id: StorageId | None = None
    parameters: Mapping[str, str] = field(factory=dict, repr=False)
    flags: Mapping[str, Any] = field(factory=dict)
    qos: Mapping[str, str | float] | None = None
    feed: Json = field(factory=dict, repr=False)


def new_storages(body: Json) -> list[Description]:
    """Read the body of ``POST /provider/storages``: storage name to its description."""
    return [_new_storage(name, description) for name, description in body.items()]


def change_of(body: Json) -> Description:
    """Read the body of ``PATCH /provider/storages/<id>``: what is to be another."""
    if "id" in body:
        raise BadData("id", "it stays as it is")
    return _description(body.get("name"), body)


def _new_storage(name: str, description: object) -> Description:
    if not isinstance(description, Mapping):
        raise BadValueJSON(name)
    if "name" in description:
        raise BadData("name", "the name is what the description stands under")
    made = _description(name, description)
    if made.type is None:
        raise MissingRequiredValue("type")
    return made


def _description(name: object, body: Json) -> Description:
    storage_id = _text_of(body, "id")
    return Description(
        name=None if name is None else _text("name", name),
        type=_text_of(body, "type"),
        storage_id=None if storage_id is None else StorageId(storage_id),
        parameters={key: _argument(key, value) for key, value in body.items() if key not in _OURS},
        flags={ours: _flag(body, key) for key, ours in _FLAGS.items() if key in body},
        qos=_qos(body[_QOS]) if _QOS in body else None,
        feed={key: body[key] for key in _FEED if key in body},
    )


def _argument(key: str, value: object) -> str:
    """Parameters are texts; numbers and truth values are written as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise BadValueString(key)


def _qos(value: object) -> dict[str, str | float]:
    if not isinstance(value, Mapping) or len(value) > _MOST_PARAMETERS:
        raise BadValueJSON(_QOS)
    found: dict[str, str | float] = {}
    for key, text in value.items():
        if isinstance(text, bool) or not isinstance(text, (str, int, float)):
            raise BadData(f"{_QOS}.{key}", "it must be a text or a number")
        if key in ("storageId", "providerId"):
            raise BadData(f"{_QOS}.{key}", "every storage has it by itself")
        found[_text(_QOS, key)] = text
    return found


def _flag(body: Json, key: str) -> bool:
    value = body[key]
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise BadValueBoolean(key)
    return value


def _text_of(body: Json, key: str) -> str | None:
    value = body.get(key)
    return None if value is None else _text(key, value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value or len(value.encode("utf-8", "replace")) > _MAX_TEXT_B:
        raise BadValueString(key)
    return value

"""Bodies of the admin door into values. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import field, frozen

from onedata.errors import BadValueInteger, BadValueJSON, BadValueString, BadValueTooLow, MissingRequiredValue
from onedata.ids import ProviderId, StorageId
from op_worker.zone.administration import SupportRequest
from op_worker.zone.registering import RegistrationRequest

Json = Mapping[str, object]


@frozen(kw_only=True)
class StorageRequest:
    """A storage to add; ``arguments`` are those of its helper."""

    name: str
    type: str
    storage_id: StorageId | None
    arguments: Mapping[str, str] = field(repr=False)


def registration_request(body: Json) -> RegistrationRequest:
    """Read the body of ``POST /provider``."""
    zone_url = _optional_text(body, "zoneUrl")
    dev_id = _optional_text(body, "devId")
    return RegistrationRequest(
        token=_text(body, "token"),
        name=_text(body, "name"),
        admin_email=_text(body, "adminEmail"),
        domain=_text(body, "domain"),
        zone_domain=None if zone_url is None else _domain_of(zone_url),
        dev_id=None if dev_id is None else ProviderId(dev_id),
    )


def support_request(body: Json) -> SupportRequest:
    """Read the body of ``POST /provider/spaces``."""
    size_b = body.get("size")
    if size_b is None:
        raise MissingRequiredValue("size")
    if not isinstance(size_b, int) or isinstance(size_b, bool):
        raise BadValueInteger("size")
    if size_b < 0:
        raise BadValueTooLow("size", 0)
    return SupportRequest(
        token=_text(body, "token"), size_b=size_b, storage_id=StorageId(_text(body, "storageId"))
    )


def storage_requests(body: Json) -> list[StorageRequest]:
    """Read the body of ``POST /provider/storages``: storage name to its description."""
    return [_storage_request(name, description) for name, description in body.items()]


def _storage_request(name: str, description: object) -> StorageRequest:
    if not isinstance(description, Mapping):
        raise BadValueJSON(name)
    storage_id = _optional_text(description, "id")
    return StorageRequest(
        name=name,
        type=_text(description, "type"),
        storage_id=None if storage_id is None else StorageId(storage_id),
        arguments={key: _argument(key, description[key]) for key in description if key not in ("type", "id")},
    )


def _argument(key: str, value: object) -> str:
    """Arguments of helpers are texts; numbers and truth values are written as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise BadValueString(key)


def _text(body: Json, key: str) -> str:
    value = _optional_text(body, key)
    if value is None:
        raise MissingRequiredValue(key)
    return value


def _optional_text(body: Json, key: str) -> str | None:
    value = body.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise BadValueString(key)
    return value


def _domain_of(url: str) -> str:
    """``https://zone.test:8443/`` and ``zone.test:8443`` → ``zone.test:8443``."""
    return urlsplit(url).netloc if "://" in url else url.strip("/")

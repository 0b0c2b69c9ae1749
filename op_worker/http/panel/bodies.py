"""Bodies of the admin door into values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from onedata.errors import BadValueInteger, BadValueString, BadValueTooLow, MissingRequiredValue
from onedata.ids import ProviderId, StorageId
from op_worker.zone.administration import SupportRequest
from op_worker.zone.registering import RegistrationRequest

Json = Mapping[str, object]


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
    size_b = _size_b(body)
    return SupportRequest(
        token=_text(body, "token"), size_b=size_b, storage_id=StorageId(_text(body, "storageId"))
    )


def resize_request(body: Json) -> tuple[str | None, int]:
    """Read the body of ``PATCH /provider/spaces/<id>``: a storage, if one is named, and its size in bytes."""
    return _optional_text(body, "storageId"), _size_b(body)


def _size_b(body: Json) -> int:
    size_b = body.get("size")
    if size_b is None:
        raise MissingRequiredValue("size")
    if not isinstance(size_b, int) or isinstance(size_b, bool):
        raise BadValueInteger("size")
    if size_b < 0:
        raise BadValueTooLow("size", 0)
    return size_b


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

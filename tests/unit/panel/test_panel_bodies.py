"""Bodies of the admin door."""

from __future__ import annotations

from typing import Any

import pytest

from onedata.errors import OnedataError
from op_worker.http.panel.bodies import registration_request, resize_request, support_request
from op_worker.http.panel.guard import make_passphrase

REGISTRATION = {"token": "T", "name": "n", "adminEmail": "a@b.c", "domain": "p1.test"}


def test_registration_is_read_with_its_optional_parts() -> None:
    plain = registration_request(REGISTRATION)
    assert (plain.name, plain.admin_email, plain.zone_domain, plain.dev_id) == ("n", "a@b.c", None, None)
    full = registration_request({**REGISTRATION, "zoneUrl": "https://oz.test:8443/", "devId": "p1"})
    assert (full.zone_domain, full.dev_id) == ("oz.test:8443", "p1")
    assert registration_request({**REGISTRATION, "zoneUrl": "oz.test"}).zone_domain == "oz.test"


def test_token_of_a_registration_is_not_shown_by_repr() -> None:
    assert "SECRET" not in repr(registration_request({**REGISTRATION, "token": "SECRET"}))


@pytest.mark.parametrize(
    ("read", "body", "error", "key"),
    [
        (registration_request, {}, "missingRequiredValue", "token"),
        (registration_request, {**REGISTRATION, "name": 5}, "badValueString", "name"),
        (registration_request, {**REGISTRATION, "domain": ""}, "badValueString", "domain"),
        (support_request, {"token": "t", "storageId": "s"}, "missingRequiredValue", "size"),
        (support_request, {"token": "t", "storageId": "s", "size": "1"}, "badValueInteger", "size"),
        (support_request, {"token": "t", "storageId": "s", "size": True}, "badValueInteger", "size"),
        (support_request, {"token": "t", "storageId": "s", "size": -1}, "badValueTooLow", "size"),
        (support_request, {"token": "t", "size": 1}, "missingRequiredValue", "storageId"),
        (resize_request, {"storageId": "s"}, "missingRequiredValue", "size"),
        (resize_request, {"size": 1, "storageId": 5}, "badValueString", "storageId"),
    ],
)
def test_wrong_bodies_are_refused_by_key(read: Any, body: Any, error: str, key: str) -> None:
    with pytest.raises(OnedataError) as caught:
        read(body)
    assert (caught.value.id, (caught.value.details or {})["key"]) == (error, key)


def test_passphrase_is_made_of_readable_letters() -> None:
    counter = iter(range(1000))
    made = make_passphrase(lambda size: bytes(next(counter) % 256 for _ in range(size)))
    assert len(made) == 24
    assert made.isalnum()
    assert not set("0O1Il") & set(made)

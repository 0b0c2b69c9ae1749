"""What the headers say about who asks."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.web.http_headers import Headers

from cluster_worker.http.credentials import (
    BasicCredentials,
    basic_from,
    consumer_token_from,
    peer_ip,
    service_token_from,
    token_from,
)


def request(**headers: str) -> Any:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return SimpleNamespace(requestHeaders=Headers(named), client=SimpleNamespace(host="10.0.0.1"))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"X_Auth_Token": "a", "Authorization": "Bearer b", "Macaroon": "c"}, "a"),
        ({"Authorization": "Bearer b", "Macaroon": "c"}, "b"),
        ({"Authorization": "bearer  b "}, "b"),
        ({"Authorization": "Basic xx", "Macaroon": "c"}, "c"),
        ({"Authorization": "Basic xx"}, None),
    ],
)
def test_the_first_header_that_matches_has_the_token(headers: dict[str, str], expected: str | None) -> None:
    assert token_from(request(**headers)) == expected


def test_basic_credentials_may_have_colons_in_the_password() -> None:
    encoded = base64.b64encode("jan:pa:ss č".encode()).decode()
    assert basic_from(request(Authorization=f"Basic {encoded}")) == BasicCredentials("jan", "pa:ss č")


@pytest.mark.parametrize(
    "value", ["Basic !!!", "Basic /w==", "Basic " + base64.b64encode(b"x").decode(), "Basic"]
)
def test_undecodable_basic_credentials_are_none(value: str) -> None:
    assert basic_from(request(Authorization=value)) is None


def test_passwords_do_not_show_in_text() -> None:
    assert "secret" not in repr(BasicCredentials("jan", "secret"))


def test_consumer_service_and_peer_are_found() -> None:
    asked = request(X_Onedata_Consumer_Token="c", X_Onedata_Service_Token="s")
    assert (consumer_token_from(asked), service_token_from(asked), peer_ip(asked)) == ("c", "s", "10.0.0.1")

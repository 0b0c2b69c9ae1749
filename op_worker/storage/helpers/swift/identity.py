"""How one logs in at Swift: by the headers of version 1, or by version 3 of Keystone. Pure."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.helpers.web.answers import Head

_V3 = re.compile(r"/v3/?$")
_OBJECTS = "object-store"
_DOMAIN = {"id": "default"}


@frozen
class SwiftUser:
    """Who logs in; ``tenant`` is the account of version 1 and the project of version 3."""

    tenant: str
    name: str
    password: str = field(repr=False)


@frozen(eq=False)
class SwiftAccess:
    """What logging in gives: where the account is, and the token that opens it until it expires."""

    url: str
    token: str = field(repr=False)


def is_v3(auth_url: str) -> bool:
    """Whether a URL says by itself that it is of Keystone's version 3."""
    return _V3.search(urlsplit(auth_url).path) is not None


def v1_headers(user: SwiftUser) -> Mapping[str, str]:
    """Return the headers with which one asks ``authUrl`` in version 1."""
    return {"X-Auth-User": f"{user.tenant}:{user.name}", "X-Auth-Key": user.password}


def v1_access(head: Head) -> SwiftAccess | None:
    """Return what an answer of version 1 gives; ``None`` when it is no such answer."""
    url, token = head.header("x-storage-url"), head.header("x-auth-token")
    return SwiftAccess(url.rstrip("/"), token) if head.is_success and url and token else None


def v3_root(body: bytes) -> str | None:
    """Return where version 3 is, from the list of versions that a Keystone answers, if it is one."""
    links = [
        link.get("href")
        for version in _rows(_parsed(body), "versions", "values")
        if str(version.get("id", "")).startswith("v3.")
        for link in _rows(version, "links")
        if link.get("rel") == "self"
    ]
    return next((link for link in links if isinstance(link, str)), None)


def v3_url(root: str) -> str:
    """Return where tokens are made."""
    return f"{root.rstrip('/')}/auth/tokens"


def v3_request(user: SwiftUser) -> bytes:
    """Return the body that asks for a token for the user's project, both of the default domain."""
    who = {"name": user.name, "domain": _DOMAIN, "password": user.password}
    identity = {"methods": ["password"], "password": {"user": who}}
    scope = {"project": {"name": user.tenant, "domain": _DOMAIN}}
    return json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()


def v3_access(head: Head, body: bytes) -> SwiftAccess:
    """Return what an answer of version 3 gives. Raises: StorageUnavailable when it gives no storage."""
    services = _rows(_parsed(body), "token", "catalog")
    endpoints = [each for one in services if one.get("type") == _OBJECTS for each in _rows(one, "endpoints")]
    urls = [each.get("url") for each in endpoints if each.get("interface") == "public"]
    url, token = next(iter(urls), None), head.header("x-subject-token")
    if not isinstance(url, str) or not token:
        raise StorageUnavailable(
            errno.EIO, "", "the identity service names no object storage for this project"
        )
    return SwiftAccess(url.rstrip("/"), token)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _rows(value: object, *path: str) -> Iterator[Mapping[str, Any]]:
    """Give the objects of a list that lies at a path in JSON, as far as there is one."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    yield from (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()

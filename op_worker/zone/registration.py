"""The provider's place in a zone: its id, its domain, and the token that proves who it is."""

from __future__ import annotations

import json

from attrs import asdict, field, frozen

from onedata.ids import ProviderId

_SCHEMA = 1


@frozen(kw_only=True)
class Registration:
    """What a provider got when it registered; ``root_token`` is its identity and must stay secret."""

    provider_id: ProviderId
    name: str
    domain: str
    zone_domain: str
    root_token: str = field(repr=False)


def encode_registration(registration: Registration) -> bytes:
    """Return the stored form."""
    return json.dumps({"schema": _SCHEMA, **asdict(registration)}).encode()


def decode_registration(data: bytes) -> Registration:
    """Read the stored form; unknown fields are ignored."""
    stored = json.loads(data)
    if stored["schema"] != _SCHEMA:
        raise ValueError(f"registration has schema {stored['schema']}, this version knows {_SCHEMA}")
    return Registration(
        provider_id=ProviderId(stored["provider_id"]),
        name=stored["name"],
        domain=stored["domain"],
        zone_domain=stored["zone_domain"],
        root_token=stored["root_token"],
    )

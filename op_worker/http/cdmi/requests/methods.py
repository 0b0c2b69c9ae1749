"""Which methods there are for an address, as far as its form tells. Pure."""

from __future__ import annotations

from op_worker.http.cdmi.requests.addresses import Address, Branch

_READING = ("GET", "HEAD")
_CHANGING = (*_READING, "PUT", "DELETE")


def allowed_methods(address: Address) -> bytes:
    """Return the value of ``Allow``: containers also take POST, capabilities and domains are only read."""
    match address.branch:
        case Branch.CAPABILITIES | Branch.DOMAINS:
            methods: tuple[str, ...] = _READING
        case Branch.OBJECT_IDS:
            methods = ("POST",)
        case _:
            methods = (*_CHANGING, "POST") if address.is_container else _CHANGING
    return ", ".join((*methods, "OPTIONS")).encode()

"""The names of an environment as a zone of DNS, for Twisted's name server; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TTL_S = 5


def zone_file(zone: str, server: str, names: Mapping[str, Iterable[str]]) -> str:
    """The source that ``twistd dns --pyzone`` reads.

    Args:
        zone: the domain that ends every name, such as ``1700000000.test``.
        server: the name server's own name.
        names: name → its addresses, all of which are in each answer.
    """
    soa = {"mname": server, "rname": f"admin.{zone}", "serial": 1}
    times = {"refresh": 60, "retry": 60, "expire": 60, "minimum": TTL_S}
    options = ", ".join(f"{key}={value!r}" for key, value in {**soa, **times}.items())
    records = [f"SOA({zone!r}, {options})", f"NS({zone!r}, {server!r})"]
    records += [
        f"A({name!r}, {address!r}, ttl={TTL_S})" for name, found in names.items() for address in found
    ]
    return "\n".join(["zone = [", *(f"    {record}," for record in records), "]", ""])

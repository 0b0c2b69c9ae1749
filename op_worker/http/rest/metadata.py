"""Operations on custom metadata: extended attributes, a JSON document, an RDF document."""

from __future__ import annotations

from typing import Any

from cluster_worker.http.answers import send_bytes, send_json, send_nothing
from cluster_worker.http.bodies import decode_json, read_bytes
from onedata.errors import BadValueJSON, Errno, MalformedData, MissingRequiredValue, Posix
from op_worker.files.metadata.custom import ACL_XATTR, is_reserved
from op_worker.files.model import Follow, MetadataChange, Target
from op_worker.http.rest.calls import RestCall

DOCUMENT_LIMIT_B = 4 * 1024 * 1024
"""The longest body of extended attributes, JSON or RDF."""

_KEY = "metadata"


async def get_xattrs(call: RestCall) -> None:
    """Extended attributes, or one of them."""
    params = call.params
    name, target = params["attribute"], await _target(call)
    internal = params["show_internal"] or (name is not None and is_reserved(name))
    if name == ACL_XATTR:
        xattrs = await call.files.acls.as_xattr(call.caller, target)
    else:
        xattrs = await call.files.metadata.xattrs(
            call.caller, target, inherited=params["inherited"], internal=internal
        )
    if name is not None:
        if name not in xattrs:
            raise Posix(Errno.ENODATA)
        xattrs = {name: xattrs[name]}
    send_json(call.request, xattrs)


async def put_xattrs(call: RestCall) -> None:
    """Set extended attributes; others stay."""
    value = await _json_body(call)
    if not isinstance(value, dict):
        raise BadValueJSON(_KEY)
    await call.files.metadata.change(call.caller, await _target(call), MetadataChange(set_xattrs=value))
    send_nothing(call.request)


async def remove_xattrs(call: RestCall) -> None:
    """Remove extended attributes."""
    change = MetadataChange(remove_xattrs=call.params["keys"])
    await call.files.metadata.change(call.caller, await _target(call), change)
    send_nothing(call.request)


async def get_json(call: RestCall) -> None:
    """The JSON document, or a part of it."""
    filter_ = _filter(call)
    value = await call.files.metadata.json(
        call.caller, await _target(call), inherited=call.params["inherited"], filter=filter_
    )
    send_json(call.request, value)


async def put_json(call: RestCall) -> None:
    """Set the JSON document, or a part of it."""
    filter_ = _filter(call)
    value = await _json_body(call)
    await call.files.metadata.set_json(call.caller, await _target(call), value, filter_)
    send_nothing(call.request)


async def remove_json(call: RestCall) -> None:
    """Remove the JSON document."""
    await call.files.metadata.remove_json(call.caller, await _target(call))
    send_nothing(call.request)


async def get_rdf(call: RestCall) -> None:
    """The RDF document."""
    value = await call.files.metadata.rdf(call.caller, await _target(call))
    send_bytes(call.request, value, [b"application/rdf+xml"])


async def put_rdf(call: RestCall) -> None:
    """Set the RDF document."""
    value = await read_bytes(call.request, DOCUMENT_LIMIT_B)
    await call.files.metadata.set_rdf(call.caller, await _target(call), value)
    send_nothing(call.request)


async def remove_rdf(call: RestCall) -> None:
    """Remove the RDF document."""
    await call.files.metadata.remove_rdf(call.caller, await _target(call))
    send_nothing(call.request)


async def _target(call: RestCall) -> Target:
    """Return the file to work on: what a symbolic link leads to, unless ``resolve_symlink`` is false."""
    if not call.params["resolve_symlink"]:
        return call.target
    stat = await call.files.stat(call.caller, call.target, Follow.YES)
    return Target(stat.guid)


async def _json_body(call: RestCall) -> Any:
    try:
        return decode_json(await read_bytes(call.request, DOCUMENT_LIMIT_B))
    except MalformedData:
        raise BadValueJSON(_KEY) from None


def _filter(call: RestCall) -> str | None:
    if call.params["filter_type"] is None:
        return None
    filter_: str | None = call.params["filter"]
    if filter_ is None:
        raise MissingRequiredValue("filter")
    return filter_

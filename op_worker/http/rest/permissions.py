"""Operations on permissions: access control lists."""

from __future__ import annotations

from cluster_worker.http.answers import send_json, send_nothing
from cluster_worker.http.bodies import decode_json, read_bytes
from onedata.errors import BadData, MalformedData
from op_worker.files.acl_forms import KEY, parse_rest_acl, rest_acl
from op_worker.files.model import Follow
from op_worker.http.rest.calls import RestCall

ACL_LIMIT_B = 4 * 1024 * 1024
"""The longest body of an access control list."""


async def get_acl(call: RestCall) -> None:
    """The access control list, empty when the mode decides."""
    send_json(call.request, rest_acl(await call.files.acls.get(call.caller, call.target, _follow(call))))


async def put_acl(call: RestCall) -> None:
    """Set the access control list, which decides from now on; an empty one removes it."""
    try:
        value = decode_json(await read_bytes(call.request, ACL_LIMIT_B))
    except MalformedData:
        raise BadData(KEY, "an ACL is a JSON array") from None
    await call.files.acls.set(call.caller, call.target, parse_rest_acl(value), _follow(call))
    send_nothing(call.request)


async def remove_acl(call: RestCall) -> None:
    """Remove the access control list, so that the mode decides; fine when there is none."""
    await call.files.acls.set(call.caller, call.target, (), _follow(call))
    send_nothing(call.request)


def _follow(call: RestCall) -> Follow:
    return Follow.YES if call.params["resolve_symlink"] else Follow.NO

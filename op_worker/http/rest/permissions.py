"""Operations on permissions: access control lists, protection flags, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_worker.http.answers import send_json, send_nothing
from cluster_worker.http.bodies import decode_json, read_bytes
from onedata.errors import BadData, BadValueNotAllowed, MalformedData, MissingRequiredValue
from onedata.ids import UserId
from op_worker.files.granting.explanations import Explanation
from op_worker.files.model import Follow
from op_worker.files.rights.acl_forms import KEY, parse_rest_acl, rest_acl
from op_worker.files.rights.protection import NAMES, flags_of, names_of
from op_worker.files.rights.verdicts import Verdict
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


async def get_protection(call: RestCall) -> None:
    """Protection flags: those of the file, and those that hold for it."""
    own, effective = await call.files.protection.flags(call.caller, call.target)
    send_json(call.request, {"direct": names_of(own), "effective": names_of(effective)})


async def put_protection(call: RestCall) -> None:
    """Set and unset protection flags."""
    wanted, unwanted = (_flags(name, call.params[name]) for name in ("set", "unset"))
    if not wanted and not unwanted:
        raise MissingRequiredValue("set")
    if wanted & unwanted:
        raise BadData("unset", "a flag is set or unset")
    await call.files.protection.change(call.caller, call.target, wanted, unwanted)
    send_nothing(call.request)


async def get_holds(call: RestCall) -> None:
    """Holds: those of the file, and those that bind it."""
    own, effective = await call.files.holds.of(call.caller, call.target)
    send_json(call.request, {"direct": list(own), "effective": list(effective)})


async def release_holds(call: RestCall) -> None:
    """Release holds of the file."""
    names = call.params["hold"]
    if not names:
        raise MissingRequiredValue("hold")
    await call.files.holds.release(call.caller, call.target, names)
    send_nothing(call.request)


async def explain(call: RestCall) -> None:
    """What a user may do with a file, and why."""
    user_id = call.params["userId"]
    explanation = await call.files.explanations.explain(
        call.caller,
        call.target,
        call.params["operation"],
        None if user_id is None else UserId(user_id),
    )
    send_json(call.request, _explanation(explanation))


def _explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "fileId": explanation.guid.object_id(),
        "userId": explanation.user_id,
        "operations": [{"operation": name, **_verdict(verdict)} for name, verdict in explanation.operations],
        "ancestors": [
            {"fileId": passage.guid.object_id(), "path": passage.path, **_verdict(passage.verdict)}
            for passage in explanation.ancestors
        ],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "errno": None if verdict.errno is None else verdict.errno.value,
        "reason": verdict.text,
        "fact": _fact(verdict),
    }


def _fact(verdict: Verdict) -> dict[str, Any]:
    """Return the parts of a fact that it has."""
    fact = verdict.fact
    parts: dict[str, Any] = {"kind": fact.kind.value}
    if fact.path:
        parts["path"] = fact.path
    if fact.what:
        parts["what"] = fact.what
    if fact.mode is not None:
        parts["mode"] = f"{fact.mode:03o}"
    if fact.ace is not None:
        [ace] = rest_acl((fact.ace,))
        parts.update({"entry": fact.entry, "ace": ace})
    return parts


def _flags(key: str, names: Sequence[str] | None) -> int:
    try:
        return flags_of(names or ())
    except KeyError:
        raise BadValueNotAllowed(key, list(NAMES)) from None


def _follow(call: RestCall) -> Follow:
    return Follow.YES if call.params["resolve_symlink"] else Follow.NO

"""What a body says of the domain and the capabilities of an object: both are given, so it must agree."""

from __future__ import annotations

from onedata.errors import BadData, Errno, Forbidden, NotSupported, Posix
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.capabilities.tree import capability_at, capability_with_id
from op_worker.http.cdmi.representations.representation import CAPABILITIES_OF
from op_worker.http.cdmi.requests.addresses import Address, Branch, source_addresses
from op_worker.http.cdmi.requests.domain_names import MEMBER, domain_of, domains_named
from op_worker.http.cdmi.requests.negotiation import Kind

CAPABILITIES_MEMBER = "capabilitiesURI"


async def require_belonging(
    files: FileService,
    caller: Caller,
    space_id: SpaceId,
    body: ObjectBody | ContainerBody,
    kind: Kind,
    host: str,
) -> None:
    """Return when ``domainURI`` and ``capabilitiesURI`` of a body, if sent, are those that the object has.

    Args:
        space_id: where the object is, or will be.
        host: the ``Host`` of the request.

    Raises:
        BadData: another domain of the caller, or none at all (key ``domainURI``); other capabilities (key
            ``capabilitiesURI``).
        Forbidden: a domain that is not the caller's, whether there is one or not.
    """
    if body.capabilities_uri is not None:
        require_capabilities(body.capabilities_uri, kind, host)
    if body.domain_uri is None or domain_of(space_id) in domains_named(body.domain_uri, host):
        return
    if await domain_meant(files, caller, body.domain_uri, host) != domain_of(space_id):
        raise BadData(MEMBER, "an object lies in the domain of its space")


async def domain_meant(files: FileService, caller: Caller, uri: str, host: str) -> tuple[str, ...]:
    """Return the names below ``cdmi_domains`` of the domain of the caller that a member means.

    Raises:
        BadData: it names no domain (key ``domainURI``).
        Forbidden: the domain is not the caller's, whether there is one or not.
    """
    for names in domains_named(uri, host):
        if not names:
            return ()
        try:
            return domain_of((await files.find_space(caller, names[0])).space_id)
        except Posix as error:
            if error.errno is not Errno.ENOENT:
                raise
    raise Forbidden("the domain is not one of yours")


def require_capabilities(uri: str, kind: Kind, host: str) -> None:
    """Return when a URI means the capabilities of a kind. Raises: BadData (``capabilitiesURI``)."""
    try:
        candidates = source_addresses(uri, host)
    except (BadData, NotSupported):
        candidates = ()
    if CAPABILITIES_OF[kind] not in map(_capabilities_at, candidates):
        raise BadData(CAPABILITIES_MEMBER, f"the capabilities of this object are {CAPABILITIES_OF[kind]}")


def _capabilities_at(address: Address) -> str | None:
    if address.branch is Branch.CAPABILITIES:
        found = capability_at(address.names)
    elif address.branch is Branch.OBJECT_ID and not address.names:
        found = capability_with_id(address.object_id or "")
    else:
        return None
    return None if found is None else found.uri

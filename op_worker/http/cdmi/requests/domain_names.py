"""How domains are named in URIs, and what a ``domainURI`` member says. Pure."""

from __future__ import annotations

from onedata.errors import BadData, NotSupported
from onedata.ids import USER_ROOT_SPACE_ID, SpaceId
from op_worker.http.cdmi.requests.addresses import DOMAINS, Branch, path_text, source_addresses

MEMBER = "domainURI"


def domain_of(space_id: SpaceId) -> tuple[str, ...]:
    """Return the names below ``cdmi_domains`` of the domain of a space; user roots lie in the root domain."""
    return () if space_id == USER_ROOT_SPACE_ID else (space_id,)


def domain_uri(names: tuple[str, ...]) -> str:
    """Return the URI of a domain, as it is shown."""
    return path_text((DOMAINS, *names)) + "/"


def domains_named(uri: str, host: str) -> tuple[tuple[str, ...], ...]:
    """Return the paths below ``cdmi_domains`` that a ``domainURI`` member may mean, likeliest first.

    Args:
        host: the ``Host`` of the request.

    Raises:
        BadData: it names no domain (key ``domainURI``).
    """
    try:
        candidates = source_addresses(uri, host)
    except (BadData, NotSupported):
        candidates = ()
    found = [each.names for each in candidates if each.branch is Branch.DOMAINS and len(each.names) < 2]
    if not found:
        raise BadData(MEMBER, "a domain is /cdmi_domains/ or /cdmi_domains/SPACE/")
    return tuple(dict.fromkeys(found))

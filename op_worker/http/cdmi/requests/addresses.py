"""What a CDMI path or a URI in a CDMI body points at. Pure."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import quote, unquote_to_bytes, urlsplit

from attrs import frozen

from onedata.errors import BadData, NotSupported
from op_worker.http.cdmi.requests.domain_ids import names_of_object_id

RESERVED_PREFIX = "cdmi_"
OBJECT_IDS = "cdmi_objectid"
DOMAINS = "cdmi_domains"
FIXED_NAMES = frozenset({OBJECT_IDS, "cdmi_capabilities", DOMAINS, "cdmi_snapshots", "cdmi_versions"})
"""Names of the standard's own; users give them to nothing."""
_PATH_SAFE = "!$&'()*+,;=:@~"  # RFC 3986: what a path segment may hold unescaped
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Branch(Enum):
    """The part of the CDMI tree that an address lies in."""

    NAMESPACE = "spaces and what is below them"
    OBJECT_ID = "cdmi_objectid/ID"
    OBJECT_IDS = "cdmi_objectid itself, where objects without a name are made"
    CAPABILITIES = "cdmi_capabilities"
    DOMAINS = "cdmi_domains"
    RESERVED = "a fixed name of the standard that is not served"


_BRANCHES = {
    OBJECT_IDS: Branch.OBJECT_ID,
    "cdmi_capabilities": Branch.CAPABILITIES,
    DOMAINS: Branch.DOMAINS,
}


@frozen
class Address:
    """A parsed CDMI path.

    Attributes:
        names: below the CDMI root, below ``object_id``, below ``cdmi_capabilities`` or ``cdmi_domains``.
        is_container: the path ended with a slash (the root always does).
        object_id: as sent, in the ``OBJECT_ID`` branch only.
    """

    branch: Branch
    names: tuple[str, ...] = ()
    is_container: bool = False
    object_id: str | None = None

    @property
    def is_root(self) -> bool:
        """Whether this is the container of all spaces."""
        return self.branch is Branch.NAMESPACE and not self.names

    @property
    def has_reserved_name(self) -> bool:
        """Whether the last name is one that the standard keeps for itself, for containers."""
        return bool(self.names) and self.names[-1].startswith(RESERVED_PREFIX)

    @property
    def has_fixed_name(self) -> bool:
        """Whether the last name means something at any place, so nothing may be made with it."""
        return bool(self.names) and self.names[-1] in FIXED_NAMES


def parse_address(raw_path: bytes) -> Address:
    """Parse the percent-encoded path below the CDMI root; empty segments are dropped.

    Raises:
        BadData: a bad escape, a name that is not UTF-8, ``.``/``..``, or one with a slash or NUL in it.
    """
    if b"%" not in raw_path:
        names = tuple(filter(None, _decoded(raw_path).split("/")))
    elif _BAD_ESCAPE.search(raw_path):
        raise BadData("path", "a percent sign must be followed by two hexadecimal digits")
    else:
        names = tuple([_decoded(segment) for segment in raw_path.split(b"/") if segment])
    _check_names(names)
    return _address(names, raw_path.endswith(b"/"))


def source_addresses(uri: str, host: str, mount: str = "cdmi") -> tuple[Address, ...]:
    """Return what a ``copy`` or ``move`` member may mean, likeliest first; the first that exists is meant.

    Deployed clients send names as they are, the standard wants them percent-encoded, so a reference
    is first taken literally, then decoded. A full URL is always encoded.

    Args:
        host: the ``Host`` of the request; a URL that names another one is a remote source.
        mount: the path segment at which the CDMI root is served.

    Raises:
        NotSupported: the source is on another server.
        BadData: the URI can mean nothing (key ``path``).
    """
    if is_url(uri):
        return (_from_url(uri, host, mount),)
    forms = [form for form in dict.fromkeys((uri, _decoded_uri(uri))) if form is not None]
    paths = [tuple(name for name in form.split("/") if name) for form in forms]
    mounted = [path[1:] for path in paths if uri.startswith("/") and path[:1] == (mount,) and path[1:]]
    candidates = [path for path in (*mounted, *paths) if path]
    for path in candidates:
        _check_names(path)
    if not candidates:
        raise BadData("path", "the source names no object")
    return tuple(dict.fromkeys(_address(path, uri.endswith("/")) for path in candidates))


def is_url(uri: str) -> bool:
    """Whether a URI names a server."""
    return uri.lower().startswith(("http://", "https://"))


def split_query(uri: str) -> tuple[str, bytes] | None:
    """Return a URI without its query, and the query; ``None`` when there is none."""
    path, mark, query = uri.partition("?")
    return (path, query.encode("utf-8", "surrogatepass")) if mark else None


def path_text(names: tuple[str, ...]) -> str:
    """Return names as a percent-encoded path with a leading and no trailing slash; "" for none."""
    return "".join("/" + quote(name, safe=_PATH_SAFE) for name in names)


def _from_url(uri: str, host: str, mount: str) -> Address:
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise BadData("path", "the source is not a URI") from None
    prefix = f"/{mount}/"
    if parts.netloc.lower() != host.lower() or not parts.path.startswith(prefix):
        raise NotSupported
    if parts.query:
        raise BadData("path", "a query means nothing here")
    address = parse_address(parts.path[len(prefix) - 1 :].encode("utf-8", "surrogatepass"))
    if address.is_root:
        raise BadData("path", "the source names no object")
    return address


def _decoded_uri(uri: str) -> str | None:
    if "%" not in uri or "?" in uri:
        return None
    try:
        return unquote_to_bytes(uri).decode("utf-8")
    except UnicodeError:
        return None


def _decoded(segment: bytes) -> str:
    try:
        return (unquote_to_bytes(segment) if b"%" in segment else segment).decode("utf-8")
    except UnicodeDecodeError:
        raise BadData("path", "names are UTF-8") from None


def _check_names(names: tuple[str, ...]) -> None:
    for name in names:
        if name in (".", "..") or "/" in name or "\0" in name:
            raise BadData("path", "a name cannot be '.' or '..', nor hold a slash or NUL")


def _address(names: tuple[str, ...], ends_with_slash: bool) -> Address:
    branch = _BRANCHES.get(names[0], Branch.NAMESPACE) if names else Branch.NAMESPACE
    if branch is Branch.NAMESPACE:
        return Address(branch, names, ends_with_slash or not names)
    rest = names[1:]
    if branch is not Branch.OBJECT_ID:
        return Address(branch, rest, ends_with_slash)
    if not rest:
        return Address(Branch.OBJECT_IDS, (), ends_with_slash)
    domain = names_of_object_id(rest[0])
    if domain is not None:
        return Address(Branch.DOMAINS, (*domain, *rest[1:]), ends_with_slash)
    return Address(branch, rest[1:], ends_with_slash, object_id=rest[0])

"""Where the files of a storage are on an HTTP server. Pure."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from attrs import frozen

from op_worker.storage.helper import StoragePath
from op_worker.storage.helpers.paths import name, raw
from op_worker.storage.types import BadStorageError

_SCHEMES = ("http", "https")


@frozen
class Endpoint:
    """The root of a storage: ``origin`` is scheme, host and port, ``base`` the encoded path in slashes."""

    origin: str
    base: str

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read an endpoint; without a scheme it is ``http``. Raises: BadStorageError."""
        split = urlsplit(text if "://" in text else f"http://{text}")
        try:
            port = split.port
        except ValueError:
            port = -1
        if split.scheme not in _SCHEMES or not split.hostname or port == -1:
            raise BadStorageError(f"the endpoint {text!r} is no URL of HTTP or HTTPS")
        if split.query or split.fragment or "@" in split.netloc:
            raise BadStorageError(f"the endpoint {text!r} must be a scheme, a host, a port and a path")
        path = quote(unquote_to_bytes(split.path.strip("/")))
        return cls(f"{split.scheme}://{split.netloc}", f"/{path}/" if path else "/")

    def url(self, path: StoragePath, *, is_directory: bool = False) -> str:
        """Return the URL of a storage path; that of a directory ends with a slash."""
        end = "/" if is_directory and path else ""
        return f"{self.origin}{self.base}{quote(raw(path))}{end}"

    def path_of(self, href: str) -> StoragePath | None:
        """Return the storage path that a link of the server leads to; ``None`` when it leads elsewhere."""
        found, base = unquote_to_bytes(urlsplit(href).path), unquote_to_bytes(self.base)
        if found == base.rstrip(b"/"):
            return StoragePath("")
        return StoragePath(name(found[len(base) :].rstrip(b"/"))) if found.startswith(base) else None


def redirected(url: str, location: str) -> str:
    """Return the URL that an answer for ``url`` sends to."""
    return urljoin(url, location)


def is_same_origin(url: str, other: str) -> bool:
    """Whether what one server may know, the other may know too."""
    first, second = urlsplit(url), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)


def is_web_url(url: str) -> bool:
    """Whether a URL is of HTTP or HTTPS."""
    return urlsplit(url).scheme in _SCHEMES

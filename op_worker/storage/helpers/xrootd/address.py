"""Where an XRootD storage is. Pure."""

from __future__ import annotations

import re

from attrs import frozen

from op_worker.storage.types import BadStorageError

_URL = re.compile(r"(roots?|xroots?)://([^/?#@\s]+)(/[^?#\s]*)?")
_CANNOT_BE_SAID = (b"?", b"\n", b"\r")


@frozen
class XrootdAddress:
    """A server, as ``root://host:1094``, and the absolute path on it below which everything is."""

    server: str
    base: str

    @classmethod
    def parse(cls, url: str) -> XrootdAddress:
        """Read the parameter ``url``, as ``root://host:1094//base``. Raises: BadStorageError."""
        found = _URL.fullmatch(url)
        names = [name for name in (found[3] or "").split("/") if name] if found else []
        if found is None or any(name in (".", "..") for name in names):
            raise BadStorageError("url has to be root://host:port//path, without . and ..")
        return cls(f"{found[1]}://{found[2]}", "".join(f"/{name}" for name in names))

    def path(self, path: bytes) -> str | None:
        """Return a path of the storage as the server has it; ``None`` when requests cannot say it.

        A question mark begins the options of a request, and listings part names by line breaks.
        """
        if any(each in path for each in _CANNOT_BE_SAID):
            return None
        return self.base + path.decode("utf-8", "surrogateescape")

    def url(self, path: str) -> str:
        """Return the address of a file."""
        return f"{self.server}/{path}"

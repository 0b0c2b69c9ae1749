"""URIs that references lead to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from onedata.errors import BadData

MAX_URI_B = 4096
"""As long as a symbolic link may be."""
_ABSOLUTE = re.compile(r"https?://[A-Za-z0-9._~%!$&'()*+,;=:@\[\]/?#-]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SAFE = "/%!$&'()*+,;=:@~?"


def is_reference(text: str) -> bool:
    """Whether the text of a symbolic link makes it a reference: an absolute URI that a header may carry."""
    return _ABSOLUTE.fullmatch(text) is not None


def reference_uri(sent: str, origin: Callable[[], str], mount: str = "cdmi") -> str:
    """Return the absolute URI for a ``reference`` member.

    A relative one is taken from the CDMI root, as the URIs in answers are; what a URI cannot hold is
    percent-encoded in it.

    Args:
        origin: returns scheme and host by which the client speaks to us, such as ``https://HOST``.
        mount: the path segment at which the CDMI root is served.

    Raises:
        BadData: it is no URI, of another scheme than http and https, or too long (key ``reference``); as
            ``origin``.
    """
    uri = sent
    if not _SCHEME.match(sent):
        if not sent.strip("/") or sent.startswith("//"):
            raise BadData("reference", "the URI names nothing")
        path = "/".join(part for part in sent.split("/") if part)
        path = path if sent.startswith("/") and path.startswith(mount + "/") else f"{mount}/{path}"
        uri = f"{origin()}/{quote(path, safe=_SAFE)}" + ("/" if sent.endswith("/") else "")
    if not is_reference(uri) or len(uri) > MAX_URI_B:
        raise BadData("reference", f"expected an http or https URI of up to {MAX_URI_B} bytes")
    return uri

"""What servers that serve a folder over HTTP have in common."""

from __future__ import annotations

from pathlib import Path

import requests
from attrs import frozen

from tests.support.storages.foreground import Foreground

USER, PASSWORD = "user", "pass"


@frozen
class WebFolder:
    """A server and the folder that it serves at ``url``, which ends with a slash.

    ``secure_url`` is the same by TLS, with ``certificate``; both are empty where it speaks none.
    """

    server: Foreground
    folder: Path
    url: str
    user: str = ""
    password: str = ""
    secure_url: str = ""
    certificate: str = ""

    @property
    def session(self) -> requests.Session:
        """A client that is not ours, with the credentials."""
        session = requests.Session()
        session.trust_env = False
        if self.user:
            session.auth = (self.user, self.password)
        return session


def responds(url: str, method: str = "OPTIONS") -> bool:
    """Whether a server answers at all."""
    try:
        session = requests.Session()
        session.trust_env = False
        return session.request(method, url, timeout=5).status_code < 500
    except requests.RequestException:
        return False

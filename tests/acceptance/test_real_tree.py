"""A real tree of files goes up, is found on the storage, and comes down byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from urllib.parse import quote

import pytest
import requests

from tests.support.environments import Raised, wait_until
from tests.support.trees import real_files

CLIENTS = 8


class Uploader:
    """Puts and gets files over CDMI with one kept-alive connection for each thread."""

    def __init__(self, environment: Raised, token: str, base: str) -> None:
        self._environment, self._token, self._base = environment, token, base
        self._own = local()

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = self._environment.session(self._token)
        session: requests.Session = self._own.session
        return session

    def url(self, relative: str) -> str:
        """The CDMI URL of a file of the tree."""
        return f"https://{self._environment.address('krk')}/cdmi/first/{self._base}/{quote(relative)}"

    def put(self, relative: str, path: Path) -> int:
        """Upload a file; return the status."""
        return self._session().put(self.url(relative), data=path.read_bytes(), timeout=60).status_code

    def digest(self, relative: str) -> str:
        """SHA-256 of the file as it comes down."""
        answer = self._session().get(self.url(relative), timeout=60)
        assert answer.status_code == 200, (relative, answer.status_code, answer.text[:300])
        return hashlib.sha256(answer.content).hexdigest()


def listed(session: requests.Session, environment: Raised, base: str) -> Iterator[str]:
    """Every file below ``base`` as the recursive listing tells it."""
    api = f"https://{environment.address('krk')}/api/v3/oneprovider"
    file_id = session.post(f"{api}/lookup-file-id/first/{base}").json()["fileId"]
    token = None
    while True:
        parameters = {"limit": "3000", **({"token": token} if token else {})}
        page = session.get(f"{api}/data/{file_id}/files", params=parameters).json()
        yield from (entry["path"] for entry in page["files"])
        token = page["nextPageToken"]
        if token is None:
            return


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_real_files_survive_the_round_trip(environment: Raised, token: str) -> None:
    files = real_files()
    assert len(files) > 10_000
    session = environment.session(token)
    api = f"https://{environment.address('krk')}/api/v3/oneprovider"
    directories = sorted({name.rpartition("/")[0] for name in files})
    uploader = Uploader(environment, token, "tree")
    space = session.post(f"{api}/lookup-file-id/first").json()["fileId"]
    for directory in directories:
        made = session.put(
            f"{api}/data/{space}/path/tree/{quote(directory)}",
            params={"type": "DIR", "create_parents": "true", "update_existing": "true"},
        )
        assert made.status_code == 201, made.text
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(lambda item: uploader.put(*item), files.items()))
        assert set(statuses) == {201}
        assert set(listed(session, environment, "tree")) == set(files)
        expected = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
        assert dict(zip(files, pool.map(uploader.digest, files), strict=True)) == expected
    on_storage = environment.storage() / "s1" / "tree"
    for name, digest in expected.items():
        assert hashlib.sha256((on_storage / name).read_bytes()).hexdigest() == digest, name
    assert session.delete(f"https://{environment.address('krk')}/cdmi/first/tree/").status_code == 204
    wait_until(lambda: not on_storage.exists(), 60, "the removed tree is still on the storage")

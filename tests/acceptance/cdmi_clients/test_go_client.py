"""The requests of grycap's Go client, and what it makes of their answers.

It reads a container without the slash and deletes one without it, follows redirects as Go's ``net/http``
does (every header again, the method too after 308), and knows errors by their status alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import pytest
import requests

from tests.support.environments import Raised

SPACE = "first"


class GoClient:
    """One method for each of the client's."""

    def __init__(self, session: requests.Session, endpoint: str) -> None:
        self._session, self._endpoint = session, endpoint
        self.redirects: list[int] = []

    def create_container(self, path: str, *, parents: bool) -> int:
        if parents and self.read_container(posixpath.dirname(path))[0] == 404:
            assert self.create_container(posixpath.dirname(path), parents=True) == 201
        return self._do("PUT", path + "/").status_code

    def read_container(self, path: str) -> tuple[int, list[str]]:
        answer = self._do("GET", path, {"X-CDMI-Specification-Version": "1.1.1"})
        return answer.status_code, answer.json().get("children", [])

    def delete(self, path: str) -> int:
        return self._do("DELETE", path).status_code

    def create_object(self, path: str, body: bytes) -> int:
        return self._do("PUT", path, {}, body).status_code

    def get_object(self, path: str) -> tuple[int, bytes]:
        answer = self._do("GET", path)
        return answer.status_code, answer.content

    def _do(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> requests.Response:
        joined = posixpath.join(self._endpoint, path)
        answer = self._session.request(method, joined, headers=headers, data=body, timeout=20)
        self.redirects += [each.status_code for each in answer.history]
        return answer


@pytest.fixture
def client(environment: Raised, token: str) -> Iterator[GoClient]:
    session = environment.session()
    session.headers["Authorization"] = f"Bearer {token}"
    made = GoClient(session, f"https://{environment.address('krk')}/cdmi/{SPACE}")
    yield made
    made.delete("go")


def test_containers_are_made_with_their_parents_listed_and_deleted(client: GoClient) -> None:
    assert client.create_container("go/a/b", parents=True) == 201
    assert client.read_container("go/a") == (200, ["b/"])
    assert client.delete("go") == 204
    assert client.redirects[-2:] == [301, 308]
    assert client.read_container("go")[0] == 404


def test_container_that_is_there_is_a_bad_request(client: GoClient) -> None:
    assert client.create_container("go", parents=False) == 201
    assert client.create_container("go", parents=False) == 400


def test_object_is_written_read_and_deleted(client: GoClient) -> None:
    assert client.create_container("go/x", parents=True) == 201
    assert client.create_object("go/x/o", b"hello") == 201
    assert client.get_object("go/x/o") == (200, b"hello")
    assert client.read_container("go/x") == (200, ["o"])
    assert client.delete("go/x/o") == 204
    assert client.get_object("go/x/o")[0] == 404


def test_first_cdmi_library_for_python_is_told_which_versions_there_are(
    environment: Raised, token: str
) -> None:
    """``libcdmi`` 0.1 of 2011 says the version ``1.0.1h``, which came before 1.1."""
    answer = environment.session(token).get(
        f"https://{environment.address('krk')}/cdmi/{SPACE}/",
        headers={"X-CDMI-Specification-Version": "1.0.1h", "Accept": "application/cdmi-container"},
        timeout=20,
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {"supportedVersions": ["1.1.1", "1.1"]}

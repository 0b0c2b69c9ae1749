"""A real provider in a zone, with spaces on storages of any type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import quote

import requests

from bamboos.environment.configurator import API, PANEL, PASSWORD
from bamboos.environment.rest import Rest
from tests.support.environments import Raised, raise_environment

PROVIDER, USER = "krk", "anna"
SIZE_B = 100 << 30


class ProviderOnStorages:
    """A running provider, its administration and its doors."""

    def __init__(self, environment: Raised) -> None:
        self.environment = environment
        self.base = f"https://{environment.address(PROVIDER)}"
        self.token = environment.token(USER)
        self.session: requests.Session = environment.session(self.token)

    def add_space(self, name: str, storage: Mapping[str, object]) -> None:
        """Make a storage and a space of that name, which it supports."""
        zone, panel = self.environment.zone(), self.panel()
        space = {"spaceId": name, "name": name, "creatorId": USER, "users": [USER], "groups": []}
        zone.request("POST", f"{API}/dev/spaces", space)
        panel.request("POST", f"{PANEL}/provider/storages", {name: {**storage, "id": f"storage-{name}"}})
        owner = zone.as_user(USER, PASSWORD)
        token = owner.request("POST", f"{API}/spaces/{name}/providers/token").json()["token"]
        body = {"token": token, "size": SIZE_B, "storageId": f"storage-{name}"}
        panel.request("POST", f"{PANEL}/provider/spaces", body)

    def panel(self) -> Rest:
        """The admin door."""
        host, _, port = self.environment.address(PROVIDER).partition(":")
        passphrase = (self.environment.folder / "secrets" / f"{PROVIDER}.passphrase").read_text()
        door = Rest(host, int(port or 443), Path(self.environment.ca_cert))
        return door.as_user("onepanel", passphrase)

    def url(self, space: str, path: str) -> str:
        """Where CDMI has a file."""
        return f"{self.base}/cdmi/{quote(space)}/{quote(path)}"

    def put(self, space: str, path: str, data: bytes) -> None:
        """Make or replace a file."""
        answer = self.session.put(self.url(space, path), data=data, timeout=120)
        assert answer.ok, (answer.status_code, answer.text)

    def get(self, space: str, path: str) -> bytes:
        """Read a file."""
        answer = self.session.get(self.url(space, path), timeout=120)
        assert answer.ok, (answer.status_code, answer.text)
        return answer.content

    def remove(self, space: str, path: str) -> None:
        """Remove a file."""
        answer = self.session.delete(self.url(space, path), timeout=120)
        assert answer.ok, (answer.status_code, answer.text)


@contextmanager
def provider_on_storages(folder: Path) -> Iterator[ProviderOnStorages]:
    """Raise a zone and a provider below ``folder`` for as long as the body runs."""
    environment = raise_environment("single_oz_and_provider", folder)
    try:
        yield ProviderOnStorages(environment)
    finally:
        environment.stop()


def random_tree(seed: int, most_b: int = 3 << 20) -> Mapping[str, bytes]:
    """Return files of many sizes by their paths; directories are made by a door when they are missing."""
    random, tree = Random(seed), {}
    for number in range(24):
        folders = [f"d{random.randrange(3)}" for _ in range(random.randrange(3))]
        size_b = random.choice((0, 1, 1000, random.randrange(100_000), random.randrange(most_b)))
        tree["/".join([*folders, f"żółw {number}.bin"])] = random.randbytes(size_b)
    return tree

"""Where an environment's files lie: folders of nodes and storages, secrets."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from bamboos.environment.addresses import Addresses
from bamboos.environment.description import Storage
from bamboos.environment.names import Names
from bamboos.environment.surroundings import Surroundings


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where an environment's files lie, which addresses its hosts have, how its nodes see each other."""

    folder: Path
    names: Names
    addresses: Addresses
    surroundings: Surroundings

    def node_folder(self, host: str) -> Path:
        """Configuration, state and logs of the node on ``host``."""
        return self.folder / "nodes" / host

    def storage_folder(self, provider: str, storage: Storage) -> Path:
        """See the function of this name."""
        return storage_folder(self.folder, provider, storage)

    def mount_point(self, provider: str, storage: Storage) -> str:
        """Where the nodes of a provider find a posix storage."""
        return self.surroundings.mount_point(self.storage_folder(provider, storage), storage)

    def passphrase_file(self, provider: str) -> Path:
        """The file with the administration passphrase of a provider."""
        return _kept(self.folder / "secrets" / f"{provider}.passphrase", secrets.token_urlsafe(24))

    def passphrase(self, provider: str) -> str:
        """The administration passphrase of a provider, made at the first start."""
        return self.passphrase_file(provider).read_text()

    def redis_password_file(self, instance: str) -> Path:
        """The file with the password of a cluster's Redis server."""
        return _kept(self.folder / "secrets" / f"{instance}.redis", secrets.token_urlsafe(24))

    def redis_password(self, instance: str) -> str:
        """The password of a cluster's Redis server, made at the first start."""
        return self.redis_password_file(instance).read_text()


def storage_folder(environment_folder: Path, provider: str, storage: Storage) -> Path:
    """The host folder behind a posix storage; entries with one ``group`` share a folder."""
    shared = storage.options.get("group")
    name = f"group_{shared}" if shared else storage.name.strip("/").replace("/", "_")
    folder = environment_folder / "storages" / provider / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(path: Path, new_content: str) -> Path:
    """A file for our eyes only, with ``new_content`` unless it is there already."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(new_content)
    return path

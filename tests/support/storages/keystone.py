"""Keystone, the identity service of OpenStack, version 3, with a project for tests and one for services.

Making its database and accounts takes long, so what was made is kept beside its programs and copied.
"""

from __future__ import annotations

import fcntl
import getpass
import grp
import http.client
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from attrs import define

from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.python_servers import server_environment

REQUIREMENTS = ("keystone == 30.*", "cheroot", "setuptools < 81")
PORT = 5000
PROJECT, USER, PASSWORD = "test", "tester", "tester's word"
SERVICE_USER, SERVICE_PASSWORD = "swift", "swiftpw"
_ADMIN_PASSWORD = "adminpw"
_OBJECTS_HERE = "http://objects.invalid"
_MADE = ("keystone.db", "fernet", "cred")
_COMMAND_LIMIT_S = 60.0

_CONFIGURATION = """
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[token]
provider = fernet
expiration = {token_life_s}
allow_expired_window = 0
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/cred
[identity]
password_hash_rounds = 4
[cache]
enabled = false
"""
_PROGRAM = """
import os, sys
configuration, address, port = sys.argv[1:]
os.environ["OS_KEYSTONE_CONFIG_FILES"] = configuration
sys.argv = ["keystone", "--config-file", configuration]
from keystone.server.wsgi import initialize_public_application
from cheroot.wsgi import Server
Server((address, int(port)), initialize_public_application(), numthreads=4).start()
"""


class Keystone:
    """A running identity service.

    Args:
        token_life_s: how long a token is good for.
    """

    service_user, service_password = SERVICE_USER, SERVICE_PASSWORD

    def __init__(self, folder: Path, address: str, token_life_s: int = 3600) -> None:
        self.folder, self.address = folder, address
        self._token_life_s = token_life_s
        self._bin = server_environment("keystone", REQUIREMENTS)
        words = [str(self._bin / "python"), "-c", _PROGRAM, str(self._configuration), address, str(PORT)]
        self.server = Foreground(words, folder / "keystone.out", self._answers)

    @property
    def url(self) -> str:
        """Where one logs in, with its version."""
        return f"http://{self.address}:{PORT}/v3"

    def start(self) -> None:
        """Start with the accounts that every one of these has; they are made when nobody has yet."""
        self._write_configuration()
        kept = self._bin.parent / "accounts"
        with (self._bin.parent / "accounts.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                self._make_accounts(kept)
        _copy(kept, self.folder)
        self._publish("%/v3", self.url)
        self.server.start()

    def stop(self) -> None:
        """End it. Idempotent."""
        self.server.kill()

    def publish_objects(self, url: str) -> None:
        """Tell from now on that the object storage is at ``url``."""
        self._publish("%/v1/AUTH_%", f"{url}/v1/AUTH_$(tenant_id)s")

    def make_container(self, name: str) -> None:
        """Make a container in the object storage, in the project of the tests."""
        session = _session()
        token = _token(session, self.url, USER, PASSWORD, PROJECT)
        services = token.json()["token"]["catalog"]
        (objects,) = (each for each in services if each["type"] == "object-store")
        session.headers["X-Auth-Token"] = token.headers["X-Subject-Token"]
        session.put(f"{objects['endpoints'][0]['url']}/{quote(name)}", timeout=60).raise_for_status()

    def _publish(self, like: str, url: str) -> None:
        """Put another URL in the place of those in the catalogue that are ``like`` this."""
        with closing(sqlite3.connect(self.folder / "keystone.db")) as database, database:
            database.execute("UPDATE endpoint SET url = ? WHERE url LIKE ?", [url, like])

    def _write_configuration(self) -> None:
        text = _CONFIGURATION.format(folder=self.folder, token_life_s=self._token_life_s)
        self._configuration.write_text(text)

    @property
    def _configuration(self) -> Path:
        return self.folder / "keystone.conf"

    def _make_accounts(self, kept: Path) -> None:
        """Make everything in this folder, and keep a copy in ``kept``."""
        for each in ("fernet", "cred"):
            (self.folder / each).mkdir(mode=0o700)
        owner = ["--keystone-user", getpass.getuser(), "--keystone-group", grp.getgrgid(os.getgid()).gr_name]
        self._manage("db_sync")
        self._manage("fernet_setup", *owner)
        self._manage("credential_setup", *owner)
        urls = [
            word for kind in ("public", "internal", "admin") for word in (f"--bootstrap-{kind}-url", self.url)
        ]
        self._manage(
            "bootstrap", "--bootstrap-password", _ADMIN_PASSWORD, "--bootstrap-region-id", "R1", *urls
        )
        self.server.start()
        try:
            _Accounts.of_admin(self.url).make()
        finally:
            self.server.stop()
        with tempfile.TemporaryDirectory(dir=kept.parent) as unfinished:
            made = Path(unfinished) / "made"
            made.mkdir()
            _copy(self.folder, made)
            made.rename(kept)

    def _manage(self, *words: str) -> None:
        command = [str(self._bin / "keystone-manage"), "--config-file", str(self._configuration), *words]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-2000:]}"

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, PORT, timeout=5)
        try:
            connection.request("GET", "/v3")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@define
class _Accounts:
    """The administrator of a Keystone."""

    session: requests.Session
    url: str

    @classmethod
    def of_admin(cls, url: str) -> _Accounts:
        """Log in."""
        session = _session()
        token = _token(session, url, "admin", _ADMIN_PASSWORD, "admin")
        session.headers["X-Auth-Token"] = token.headers["X-Subject-Token"]
        return cls(session, url)

    def make(self) -> None:
        """Make what Swift needs and one user with a project."""
        self._make_member("service", SERVICE_USER, SERVICE_PASSWORD, "admin")
        self._make_member(PROJECT, USER, PASSWORD, "member")
        service = self._post("services", "service", {"name": "swift", "type": "object-store"})
        for kind in ("public", "internal", "admin"):
            place = {"service_id": service, "interface": kind, "region_id": "R1"}
            self._post("endpoints", "endpoint", {**place, "url": f"{_OBJECTS_HERE}/v1/AUTH_$(tenant_id)s"})

    def _make_member(self, project: str, user: str, password: str, role: str) -> None:
        project_id = self._post("projects", "project", {"name": project, "domain_id": "default"})
        words = {"name": user, "password": password, "domain_id": "default"}
        user_id = self._post("users", "user", words)
        roles = self.session.get(f"{self.url}/roles", params={"name": role}, timeout=60).json()["roles"]
        path = f"projects/{project_id}/users/{user_id}/roles/{roles[0]['id']}"
        self.session.put(f"{self.url}/{path}", timeout=60).raise_for_status()

    def _post(self, path: str, name: str, body: Mapping[str, Any]) -> str:
        answer = self.session.post(f"{self.url}/{path}", json={name: body}, timeout=60)
        answer.raise_for_status()
        return str(answer.json()[name]["id"])


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _token(session: requests.Session, url: str, user: str, password: str, project: str) -> requests.Response:
    """Log in."""
    domain = {"id": "default"}
    who = {"name": user, "domain": domain, "password": password}
    identity = {"methods": ["password"], "password": {"user": who}}
    scope = {"project": {"name": project, "domain": domain}}
    body = {"auth": {"identity": identity, "scope": scope}}
    answer = session.post(f"{url}/auth/tokens", json=body, timeout=60)
    answer.raise_for_status()
    return answer


def _copy(source: Path, target: Path) -> None:
    for name in _MADE:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copy2(source / name, target / name)


@contextmanager
def keystone(folder: Path, token_life_s: int = 3600) -> Iterator[Keystone]:
    """Start a Keystone below ``folder`` at an address of its own for as long as the body runs."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Keystone(folder, own_address(PORT), token_life_s)
    try:
        server.start()
        yield server
    finally:
        server.stop()

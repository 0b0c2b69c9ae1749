"""kill -9 of any process in the middle of an upload loses nothing that was acknowledged."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest
import requests

from tests.support.environments import Raised, kill, raise_environment, wait_until
from tests.support.trees import real_files

CLIENTS = 6
FILES = 1500
KILL_AFTER = 400


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """An environment of this module's own, whose processes get killed."""
    raised = raise_environment("single_oz_and_provider", tmp_path_factory.mktemp("crash"))
    yield raised
    raised.stop()


class Upload:
    """Puts real files, side by side in one directory, and remembers what was acknowledged."""

    def __init__(self, environment: Raised, base: str) -> None:
        self.environment, self.base = environment, base
        self.token = environment.token()
        self.acknowledged: dict[str, str] = {}
        self.attempted: dict[str, str] = {}
        self.enough = threading.Event()
        self._files = dict(islice(real_files().items(), FILES))

    def url(self, name: str) -> str:
        """The CDMI URL of one file."""
        return f"https://{self.environment.address('krk')}/cdmi/first/{self.base}/{name}"

    def run(self, strike: Callable[[], None], patience_s: float) -> None:
        """Upload ``FILES`` files; strike once when some are acknowledged."""
        session = self.environment.session(self.token)
        assert session.put(self.url("")).status_code == 201

        def wait_and_strike() -> None:
            self.enough.wait(60)
            strike()

        striker = threading.Thread(target=wait_and_strike)
        striker.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda relative: self._put(relative, patience_s), self._files))
        striker.join()

    def _put(self, relative: str, patience_s: float) -> None:
        name, body = relative.replace("/", "--"), self._files[relative].read_bytes()
        digest = hashlib.sha256(body).hexdigest()
        self.attempted[name] = digest

        def stored() -> bool:
            session = self.environment.session(self.token)
            try:
                return session.put(self.url(name), data=body, timeout=20).status_code in (201, 204)
            except requests.RequestException:
                return False

        wait_until(stored, patience_s, f"{name} is not accepted")
        self.acknowledged[name] = digest
        if len(self.acknowledged) >= KILL_AFTER:
            self.enough.set()

    def check(self) -> None:
        """Every acknowledged file has its digest, over CDMI and on the storage; nothing else is visible."""
        session = self.environment.session(self.token)
        folder = self.environment.storage() / "s1" / self.base
        for name, digest in self.acknowledged.items():
            answer = session.get(self.url(name), timeout=20)
            assert answer.status_code == 200, (name, answer.status_code, answer.text[:200])
            assert hashlib.sha256(answer.content).hexdigest() == digest, name
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        assert set(self._listed(session)) == set(self.attempted)
        assert {path.name for path in folder.iterdir()} == set(self.attempted)

    def _listed(self, session: requests.Session) -> Iterator[str]:
        base = f"https://{self.environment.address('krk')}/api/v3/oneprovider"
        file_id = session.post(f"{base}/lookup-file-id/first/{self.base}").json()["fileId"]
        page = session.get(f"{base}/data/{file_id}/children", params={"limit": "10000"}).json()
        assert page["isLast"]
        yield from (child["name"] for child in page["children"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_redis_comes_back_by_itself_with_all_acknowledged_files(fragile: Raised) -> None:
    upload = Upload(fragile, "redis")
    upload.run(lambda: kill(redis_pid(fragile)), patience_s=60)
    upload.check()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_manager_does_not_disturb_the_upload(fragile: Raised) -> None:
    upload = Upload(fragile, "manager")
    upload.run(lambda: kill(fragile.pid("cm@", "krk")), patience_s=60)
    upload.check()
    fragile.start_again("cm@", "krk")
    fragile.wait_healthy("krk")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_worker_loses_no_acknowledged_file_after_its_restart(fragile: Raised) -> None:
    upload = Upload(fragile, "worker")

    def strike() -> None:
        kill(fragile.pid("worker@", "krk"))
        fragile.start_again("worker@", "krk")

    upload.run(strike, patience_s=90)
    upload.check()
    staging = fragile.storage() / "s1" / ".__onedata__staging"
    wait_until(lambda: not leftovers(staging), 30, "staging files of the killed worker are left")


def leftovers(folder: Path) -> list[Path]:
    """What lies in a staging folder."""
    return list(folder.iterdir()) if folder.exists() else []


def redis_pid(environment: Raised) -> int:
    """The present Redis server of the provider, which is not the first one after a restart."""
    folder = environment.node_folder("redis@", "krk")
    return int(next(folder.rglob("redis.pid")).read_text())

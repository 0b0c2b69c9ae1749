"""A resumable upload outlives kill -9 of the worker; a directory comes back as an archive."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from tests.support.environments import Raised, kill, raise_environment, wait_until

DATA = os.urandom(40 * 1024 * 1024 + 77)
CHUNK_B = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """An environment of this module's own, whose worker gets killed."""
    environment = raise_environment("single_oz_and_provider", tmp_path_factory.mktemp("uploads"))
    yield environment
    environment.stop()


def uploader(raised: Raised, token: str, name: str, url: str | None = None) -> Any:
    """An upload of ``DATA`` by the published client."""
    client = TusClient(
        f"https://{raised.address('krk')}/api/v3/oneprovider/tus/", headers={"X-Auth-Token": token}
    )
    return client.uploader(
        file_stream=io.BytesIO(DATA),
        url=url,
        metadata={"filename": name, "path": "/first"},
        chunk_size=CHUNK_B,
    )


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_upload_goes_on_after_the_worker_was_killed(
    raised: Raised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", raised.ca_cert)  # the client cannot be told of it otherwise
    token = raised.token()
    upload = uploader(raised, token, "resumed.bin")
    for _ in range(4):
        upload.upload_chunk()
    assert upload.offset == 4 * CHUNK_B
    kill(raised.pid("worker@", "krk"))
    with pytest.raises((TusCommunicationError, requests.RequestException)):
        upload.upload_chunk()
    raised.start_again("worker@", "krk")
    raised.wait_healthy("krk", 60)
    again = uploader(raised, token, "resumed.bin", upload.url)
    assert again.offset >= 4 * CHUNK_B
    again.upload()
    session = raised.session(token)
    got = session.get(f"https://{raised.address('krk')}/cdmi/first/resumed.bin", timeout=60)
    assert got.content == DATA
    stored = raised.storage() / "s1" / "resumed.bin"
    assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(DATA).digest()
    staging = raised.storage() / "s1" / ".__onedata__staging"
    wait_until(lambda: not list(staging.iterdir()), 30, "the upload left something")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_directory_comes_back_as_an_archive_also_in_two_halves(raised: Raised) -> None:
    base = f"https://{raised.address('krk')}"
    session = raised.session(raised.token())
    contents = {f"tree/d{n % 5}/f{n}": os.urandom(1000 * n) for n in range(60)}
    for n in range(-1, 5):
        name = "tree" if n < 0 else f"tree/d{n}"
        assert session.put(f"{base}/cdmi/first/{name}/", timeout=20).status_code == 201
    for name, data in contents.items():
        assert session.put(f"{base}/cdmi/first/{name}", data=data, timeout=20).status_code == 201
    found = session.post(f"{base}/api/v3/oneprovider/lookup-file-id/first/tree", timeout=20).json()
    url = f"{base}/api/v3/oneprovider/data/{found['fileId']}/content"
    redirect = session.get(url, allow_redirects=False, timeout=20)
    assert redirect.status_code == 302
    link = base + urlsplit(redirect.headers["Location"]).path
    anybody = raised.session()
    answer = anybody.get(link, timeout=60)
    assert answer.status_code == 200, answer.text
    whole = answer.content
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        for name, data in contents.items():
            assert archive.extractfile(name).read() == data  # type: ignore[union-attr]  # a file
    half = len(whole) // 2
    rest = anybody.get(link, headers={"Range": f"bytes={half}-"}, timeout=60)
    assert rest.status_code == 206
    assert rest.content == whole[half:]

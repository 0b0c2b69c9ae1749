"""The CDMI clients of OSCAR, unmodified: storage of its Python client, supervisor of its functions."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from oscar_python._providers._onedata import Onedata
from oscar_python.client import Client
from oscar_python.storage import Storage

from tests.support.environments import Raised
from tests.support.oscar_cluster import oscar_cluster
from tests.support.recording import public_methods, recording

SPACE = "first"
BODY = bytes(range(256)) * 4096
STORAGE = "onedata.krk"


@pytest.fixture
def credentials(environment: Raised, token: str) -> dict[str, str]:
    """What OSCAR keeps about a space."""
    return {"oneprovider_host": environment.address("krk"), "token": token, "space": SPACE}


@pytest.fixture
def storage(credentials: dict[str, str]) -> Iterator[Storage]:
    """The client's storage of a service whose cluster knows our space."""
    with oscar_cluster("resizer", {"onedata": {"krk": credentials}}) as endpoint:
        cluster = {"cluster_id": "c", "endpoint": endpoint, "user": "u", "password": "p", "ssl": False}
        yield Client(cluster).create_storage_client("resizer")


@pytest.fixture
def trusted(environment: Raised, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's authority, as people name it to ``requests``."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", environment.ca_cert)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A local file."""
    path = tmp_path / "picture.bin"
    path.write_bytes(BODY)
    return path


@pytest.mark.usefixtures("trusted")
def test_oscar_client_uploads_into_new_folders_lists_and_downloads(
    storage: Storage, local: Path, tmp_path: Path
) -> None:
    storage.upload_file(
        STORAGE, str(local), "oscar/new/folder"
    )  # it asks for first//oscar/, first//oscar/new/
    listed = storage.list_files_from_path(STORAGE, "oscar/new/folder")
    assert listed.json()["children"] == ["picture.bin"]
    assert listed.json()["objectName"] == "folder/"
    (tmp_path / "got").mkdir()
    storage.download_file(STORAGE, str(tmp_path / "got"), "oscar/new/folder/picture.bin")
    assert (tmp_path / "got" / "picture.bin").read_bytes() == BODY


@pytest.mark.usefixtures("trusted")
def test_oscar_client_overwrites_and_uses_folders_that_are_there(
    storage: Storage, local: Path, tmp_path: Path
) -> None:
    storage.upload_file(STORAGE, str(local), "oscar/again")
    local.write_bytes(b"shorter")
    storage.upload_file(STORAGE, str(local), "oscar/again")
    (tmp_path / "got").mkdir()
    storage.download_file(STORAGE, str(tmp_path / "got"), "oscar/again/picture.bin")
    assert (tmp_path / "got" / "picture.bin").read_bytes() == b"shorter"
    assert storage.list_files_from_path(STORAGE, "oscar").json()["children"].count("again/") == 1


@pytest.mark.usefixtures("trusted")
def test_every_method_of_the_oscar_provider_works(
    credentials: dict[str, str], local: Path, tmp_path: Path
) -> None:
    kind, used = recording(Onedata)
    provider = kind(credentials)
    assert not provider._folder_exists("every")
    assert provider._create_folder("every")
    assert provider._folder_exists("every")
    assert not provider._create_folder("every")  # the second time is no 201
    assert provider.upload_file(str(local), "every") is None
    assert provider.list_files_from_path("every").json()["children"] == ["picture.bin"]
    (tmp_path / "got").mkdir()
    provider.download_file(str(tmp_path / "got"), "every/picture.bin")
    assert (tmp_path / "got" / "picture.bin").read_bytes() == BODY
    assert public_methods(Onedata) - used == set()


def test_oscar_client_that_does_not_trust_our_authority_refuses_us(storage: Storage) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        storage.list_files_from_path(STORAGE, "")


@pytest.mark.usefixtures("trusted")
def test_oscar_client_with_a_bad_token_sees_and_makes_nothing(credentials: dict[str, str]) -> None:
    stranger = Onedata({**credentials, "token": "nonsense"})
    assert stranger.list_files_from_path("").status_code == 401
    assert not stranger._folder_exists("")
    assert not stranger._create_folder("stranger")


def test_supervised_function_reads_its_input_and_writes_its_output(
    environment: Raised, credentials: dict[str, str], tmp_path: Path
) -> None:
    with environment.session(credentials["token"]) as session:
        base = f"https://{credentials['oneprovider_host']}/cdmi/{SPACE}"
        assert session.put(f"{base}/function/").status_code == 201
        assert session.put(f"{base}/function/input.txt", data=b"one two three\n").status_code == 201
        done = supervised(
            {"onedata": {"krk": credentials}},
            event={
                "Key": f"/{SPACE}/function/input.txt",
                "Records": [
                    {
                        "objectKey": "input.txt",
                        "objectId": "0",
                        "eventTime": "2026-01-01T00:00:00",
                        "eventSource": "OneTrigger",
                    }
                ],
            },
            script='wc -w < "$INPUT_FILE_PATH" > "$TMP_OUTPUT_DIR/words.txt"\n',
            ca_cert=environment.ca_cert,
        )
        assert done.returncode == 0, done.stderr
        assert session.get(f"{base}/function/output/deep/words.txt").text.strip() == "3", done.stderr


def supervised(
    providers: dict[str, object], *, event: dict[str, object], script: str, ca_cert: str
) -> subprocess.CompletedProcess[str]:
    """Run faas-supervisor as a function's container does: an event comes in, a script works on its file."""
    configuration = {
        "name": "words",
        "input": [{"storage_provider": STORAGE, "path": "function"}],
        "output": [{"storage_provider": STORAGE, "path": "/function/output/deep/"}],
        "storage_providers": providers,
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "faassupervisor.supervisor"],
        input=json.dumps(event),
        env={
            **os.environ,
            "FUNCTION_CONFIG": base64.b64encode(json.dumps(configuration).encode()).decode(),
            "SCRIPT": base64.b64encode(script.encode()).decode(),
            "REQUESTS_CA_BUNDLE": ca_cert,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

"""What the published suite of onedatarestfsspec takes from its surroundings."""

import os
import uuid

import pytest

SPACE = "test_onedatarestfsspec"


def _generate_test_file_info() -> tuple[str, str, bytes]:
    name = f"file-{uuid.uuid4().hex}.txt"
    return name, f"/{SPACE}/{name}", b"Hello from a test of the file system!"


def _generate_test_dir_info() -> tuple[str, str]:
    name = f"dir-{uuid.uuid4().hex}"
    return name, f"/{SPACE}/{name}"


@pytest.fixture
def onezone_ip() -> str:
    return os.environ["SUITE_ZONE"]


@pytest.fixture
def onezone_admin_token() -> str:
    return os.environ["SUITE_TOKEN"]

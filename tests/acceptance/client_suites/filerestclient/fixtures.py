"""Fixtures that the published suite of onedatafilerestclient takes from its surroundings."""

import os

import pytest


@pytest.fixture(name="onezone_ip")
def fixture_onezone_ip() -> str:
    return os.environ["SUITE_ZONE"]


@pytest.fixture(name="onezone_admin_token")
def fixture_onezone_admin_token() -> str:
    return os.environ["SUITE_TOKEN"]


@pytest.fixture(name="onezone_readonly_token")
def fixture_onezone_readonly_token() -> str:
    return os.environ["SUITE_READONLY_TOKEN"]


@pytest.fixture(name="onezone_space_member_token")
def fixture_onezone_space_member_token() -> str:
    return os.environ["SUITE_MEMBER_TOKEN"]

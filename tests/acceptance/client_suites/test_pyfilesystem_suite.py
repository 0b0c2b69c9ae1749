"""PyFilesystem's suite for implementations of file systems, over a space of ours."""

from __future__ import annotations

import unittest
from typing import Any

import pytest
from fs.onedatarestfs import OnedataRESTFS
from fs.test import FSTestCases

from tests.support.environments import Raised

SPACE = "test_onedatarestfs"


@pytest.mark.slow
class TestSpaceAsFilesystem(FSTestCases, unittest.TestCase):
    """Every case of the suite; each begins with an empty space."""

    environment: Raised
    token: str

    @pytest.fixture(autouse=True)
    def surroundings(self, suite_environment: Raised, suite_token: str) -> None:
        self.environment, self.token = suite_environment, suite_token

    def make_fs(self) -> Any:
        environment = self.environment
        authority: Any = environment.ca_cert
        made = OnedataRESTFS(environment.address("oz"), self.token, SPACE, verify_ssl=authority)
        client = made.client()
        for child in client.list_children(SPACE, file_path="")["children"]:
            client.remove(SPACE, file_path=child["name"])
        return made

    def assertRaisesRegexp(self, *args: Any, **kwargs: Any) -> Any:
        """The suite calls it by a name that Python has dropped."""
        return self.assertRaisesRegex(*args, **kwargs)

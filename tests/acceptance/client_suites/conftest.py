"""An environment with the spaces that the clients' own suites expect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import Raised, raise_environment


@pytest.fixture(scope="session")
def suite_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """One zone, two providers, and spaces with the names that the suites know."""
    description = Path(__file__).with_name("environment.json")
    raised = raise_environment(description, tmp_path_factory.mktemp("suites"))
    yield raised
    raised.stop()


@pytest.fixture(scope="session")
def suite_token(suite_environment: Raised) -> str:
    """An access token of the owner of the spaces."""
    return suite_environment.token()

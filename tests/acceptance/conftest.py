"""One environment of a zone and a provider, shared by the acceptance tests that leave it healthy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.environments import Raised, raise_environment


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """One zone and one provider, raised by env_up."""
    raised = raise_environment("single_oz_and_provider", tmp_path_factory.mktemp("single"))
    yield raised
    raised.stop()


@pytest.fixture(scope="session")
def token(environment: Raised) -> str:
    """An access token of the user anna."""
    return environment.token()

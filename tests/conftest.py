"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.container_engine import container_engine

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def containers() -> Iterator[None]:
    """A container engine; the tests that want one are skipped loudly where none can be had."""
    with container_engine():
        yield

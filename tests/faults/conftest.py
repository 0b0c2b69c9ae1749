"""What the fault suite needs of the machine."""

from __future__ import annotations

import os

import pytest

from tests.support.isolation import why_not
from tests.support.system_packages import require, skip_loudly


@pytest.fixture(scope="session", autouse=True)
def _namespaces_and_clocks() -> None:
    """Install what may be installed; without namespaces nothing here can run, which fails in CI."""
    require(["unshare", "setpriv", "nsenter", "ip"], ["util-linux", "iproute2"])
    require(["faketime"], ["faketime", "libfaketime"])
    if (reason := why_not()) is not None:
        if os.environ.get("CI"):
            pytest.fail(f"no namespaces: {reason}")
        skip_loudly(f"NOT TESTED: {reason}")

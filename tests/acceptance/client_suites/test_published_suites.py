"""The test suites that clients publish with their sources pass, unmodified.

The sources come from the package index, in the version that is installed; what the suites expect of
their surroundings (addresses, tokens, names of files) is ours and lies beside this module.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.environments import Raised

HERE = Path(__file__).parent
TWO_SITES = "provider_selector"
"""Tests of one space at two providers at once; there is no synchronisation between providers yet."""


def fetch_sources(package: str, folder: Path) -> Path:
    """Download and unpack the source distribution of the installed version of a package."""
    wanted = f"{package}=={version(package)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def surroundings(environment: Raised) -> Mapping[str, str]:
    """Return what our fixtures for the suites read."""
    confined = environment.zone().request(
        "POST",
        "/api/v3/onezone/tokens/confine",
        {"token": environment.token(), "caveats": [{"type": "data.readonly"}]},
    )
    return {
        "SUITE_ZONE": environment.address("oz"),
        "SUITE_KRK": environment.address("krk"),
        "SUITE_PAR": environment.address("par"),
        "SUITE_TOKEN": environment.token(),
        "SUITE_READONLY_TOKEN": str(confined.json()["token"]),
        "SUITE_MEMBER_TOKEN": environment.token("bert"),
    }


def passed(sources: Path, environment: Raised, options: Sequence[str]) -> int:
    """Run the suite of unpacked sources; return how many tests passed, fail when one does not."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:pytest-twisted",
    ]
    done = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(sources), *options, "tests"],
        cwd=sources,
        env={**os.environ, **surroundings(environment)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    found = re.search(r"(\d+) passed", done.stdout)
    assert found is not None and "skipped" not in done.stdout, done.stdout[-2000:]
    return int(found.group(1))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_suite_of_the_rest_client_passes(suite_environment: Raised, tmp_path: Path) -> None:
    sources = fetch_sources("onedatafilerestclient", tmp_path)
    for ours, theirs in (
        ("package.py", "__init__.py"),
        ("values.py", "utils.py"),
        ("fixtures.py", "conftest.py"),
    ):
        shutil.copy(HERE / "filerestclient" / ours, sources / "tests" / theirs)
    assert passed(sources, suite_environment, ["-k", f"not {TWO_SITES}"]) >= 24


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_suite_of_the_fsspec_client_passes(suite_environment: Raised, tmp_path: Path) -> None:
    sources = fetch_sources("onedatarestfsspec", tmp_path)
    (sources / "tests" / "__init__.py").touch()
    shutil.copy(HERE / "fsspec" / "fixtures.py", sources / "tests" / "conftest.py")
    assert passed(sources, suite_environment, []) >= 60

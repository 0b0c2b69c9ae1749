"""The daemons are found by twistd in an installed environment, not only in the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("onedata", "cluster_worker", "cluster_manager", "oz_worker", "op_worker", "twisted")
NAMES = ["cluster-manager", "cluster-worker", "op-worker", "oz-worker"]

ASK = """
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
for maker in getPlugins(IServiceMaker):
    if maker.module.partition(".")[0] in ("op_worker", "oz_worker", "cluster_manager", "cluster_worker"):
        print(maker.tapname, maker.module)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the project was built and installed, without its dependencies."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True, timeout=100)
    return target


def run(installed: Path, *arguments: str) -> str:
    """Run Python elsewhere, with the installed folder and the dependencies only."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


def test_installed_daemons_are_found_by_their_names(installed: Path) -> None:
    found = dict(line.split() for line in run(installed, "-c", ASK).splitlines())
    assert sorted(found) == NAMES
    assert set(found.values()) == {
        "cluster_manager.tap",
        "cluster_worker.tap",
        "op_worker.tap",
        "oz_worker.tap",
    }


@pytest.mark.parametrize("name", NAMES)
def test_installed_twistd_knows_the_options_of_each_daemon(installed: Path, name: str) -> None:
    assert "--config" in run(installed, "-m", "twisted", name, "--help").replace("-c, ", "")


def test_installation_adds_nothing_to_twisted_but_the_plugin(installed: Path) -> None:
    files = {path.name for path in (installed / "twisted").rglob("*.py")}
    assert files == {"onedata.py"}


def test_plugin_file_only_makes_service_makers() -> None:
    lines = (ROOT / "twisted" / "plugins" / "onedata.py").read_text().splitlines()
    code = "\n".join(lines)
    assert code.count("ServiceMaker(") == len(NAMES)
    assert [line for line in lines if line.startswith(("import ", "from "))] == [
        "from twisted.application.service import ServiceMaker"
    ]

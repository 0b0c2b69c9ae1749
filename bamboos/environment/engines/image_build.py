"""An image with everything inside: a small Debian and the project in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineFailed
from bamboos.environment.interpreter import ROOT, daemon_python

PACKAGES = ("onedata", "cluster_worker", "cluster_manager", "op_worker", "oz_worker", "twisted")
PROJECT_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
DEBIAN_PACKAGES = ("python3-minimal", "python3-venv", "ca-certificates", "iproute2")
SYSTEM_PYTHON = "/usr/bin/python3"
"""The same version as the image's: what a package needs may hang on it."""

HOME = "/opt/onedata"
"""Where the virtual environment is in the image."""

STEP_LIMIT_S = 900.0


def build(docker: Docker) -> str:
    """Build the image of the sources as they are, unless it is there; return its name.

    Needs Debian, ``mmdebstrap`` and the package mirrors that this machine uses; a minute or two.

    Raises: EngineFailed.
    """
    name = f"onedata:{_fingerprint()}"
    if docker("images", "--quiet", name):
        return name
    base = _base_image(docker)
    with TemporaryDirectory(prefix="onedata-image-") as folder:
        wheels = _wheels(Path(folder))
        _install(docker, base, wheels, name)
    return name


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    digest.update((ROOT / "setup.cfg").read_bytes())
    return digest.hexdigest()[:12]


def _base_image(docker: Docker) -> str:
    """A minimal Debian of this machine's release, whose Python is the one that the wheels are for."""
    release = platform.freedesktop_os_release()
    if release.get("ID") != "debian" or not all(map(shutil.which, ("mmdebstrap", SYSTEM_PYTHON))):
        raise EngineFailed("an image is built on Debian only, with the packages mmdebstrap and python3")
    suite = release["VERSION_CODENAME"]
    name = f"onedata-base:{suite}"
    if not docker("images", "--quiet", name):
        question = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
        mirror = sorted(set(_run(question).split()))[0]
        with TemporaryDirectory(prefix="onedata-base-") as folder:
            archive = Path(folder) / "base.tar"
            include = f"--include={','.join(DEBIAN_PACKAGES)}"
            _run(["mmdebstrap", "--quiet", "--variant=minbase", include, suite, str(archive), mirror])
            docker("import", str(archive), name, limit_s=STEP_LIMIT_S)
    return name


def _wheels(folder: Path) -> Path:
    """The project and all it needs, as wheels for the Python of this machine's Debian."""
    sources, wheels = folder / "sources", folder / "wheels"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, sources / name)
    pip = [str(daemon_python()), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    own = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(sources)]
    _run([*pip, "wheel", *own])
    (project,) = wheels.glob("*.whl")
    _run([*pip, "--python", SYSTEM_PYTHON, "wheel", "--wheel-dir", str(wheels), str(project)])
    return wheels


def _install(docker: Docker, base: str, wheels: Path, name: str) -> None:
    """Make the virtual environment in a container without a network, and keep the result as an image."""
    pip = f"{HOME}/bin/pip install --quiet --no-index --find-links {wheels} oneprovider"
    words = ["--network", "none", "--mount", f"type=bind,source={wheels},target={wheels},readonly"]
    steps = f"set -e; python3 -m venv {HOME}; {pip}; rm -rf /var/cache/apt /var/lib/apt/lists/*"
    container = docker("create", *words, base, "bash", "-c", steps)
    try:
        docker("start", "--attach", container, limit_s=STEP_LIMIT_S)
        docker("commit", container, name, limit_s=STEP_LIMIT_S)
    finally:
        docker("rm", "--force", "--volumes", container)


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineFailed(f"{words[0]}: {error}") from error
    if done.returncode != 0:
        raise EngineFailed(f"{words[0]}: {done.stderr.strip()[-500:]}")
    return done.stdout

#!/usr/bin/env python3
"""Build, run, test and measure the project: ``./make.py [build|run|test|bench|faults|certs|clean]``.

Standard library only. Everything is installed into ``.venv`` in this folder; ``build`` is done by
the other commands when it is missing or out of date.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "built-from"
SOURCES = ("pyproject.toml", "setup.cfg", "make.py")

CHECKS: Sequence[tuple[str, Sequence[str]]] = (
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("ruff check", ("-m", "ruff", "check", ".")),
    ("mypy --strict", ("-m", "mypy")),
    ("import-linter", ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")),
)

LANES: Mapping[str, Sequence[str]] = {
    "parts": ("tests/unit", "tests/integration"),
    "systems": ("tests/conformance", "tests/acceptance", "tests/faults"),
}
"""Tests that run at the same time: those of parts keep a core busy, those of whole systems mostly wait."""

QUICK_LANES: Mapping[str, str] = {"a-i": "[!j-z]*", "j-z": "[j-z]*"}
"""Two halves of the unit tests, by the names of their folders."""

BENCHMARKS = (
    "http_site",
    "wire",
    "heartbeats",
    "ring",
    "blocking_pool",
    "persistence",
    "files",
    "namespace",
    "scale",
    "search",
    "usage",
    "cdmi",
    "cluster",
)
"""The rest of ``benchmarks`` serves these, or is a tool of its own (``load``)."""


def build() -> None:
    """Make ``.venv`` with everything the project needs, unless it is up to date already."""
    fingerprint = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in SOURCES)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == fingerprint:
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - people start this with whatever they have
        sys.exit("Python 3.11 or newer is needed.")
    print("Building .venv (once) ...", flush=True)
    if not PYTHON.exists():
        venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # pkg_resources, which one of the test clients imports, left setuptools with release 81
    run([*pip, "setuptools>=77,<81", "wheel"])
    # "compat" puts this folder on the path itself, so that Twisted finds twisted/plugins in it
    editable = ["--no-build-isolation", "--config-settings", "editable_mode=compat", "-e"]
    run([*pip, *editable, f"{ROOT}[test,lint,bench]"])
    STAMP.write_text(fingerprint)


def run(command: Sequence[str], **options: object) -> None:
    """Run a command in this folder and leave with its exit code when it fails."""
    code = subprocess.call(list(command), cwd=ROOT, **options)  # type: ignore[arg-type]  # plain pass-through
    if code:
        sys.exit(code)


def demo(arguments: argparse.Namespace) -> None:
    """Raise one zone and one provider and stay in the foreground; data are kept in ``var/demo``."""
    options = ["--clean"] if arguments.clean else []
    os.chdir(ROOT)
    os.execv(str(PYTHON), [str(PYTHON), "-m", "bamboos.demo", *options, *arguments.rest])


def test(arguments: argparse.Namespace) -> None:
    """Check style, types and floors, then run the tests; the report ends with the coverage."""
    for name, command in CHECKS:
        started = time.monotonic()
        run([str(PYTHON), *command])
        print(f"{name}: fine ({time.monotonic() - started:.1f} s)", flush=True)
    if arguments.quick:
        quick = [str(PYTHON), "-m", "pytest", "-q", "-m", "not slow", *arguments.rest]
        unit = ROOT / "tests" / "unit"
        run_lanes({lane: [*quick, *unit_folders(unit, of)] for lane, of in QUICK_LANES.items()})
        return
    for stale in ROOT.glob(".coverage*"):
        stale.unlink()
    pytest = [str(PYTHON), "-m", "coverage", "run", "-m", "pytest", "-q"]
    if arguments.rest:
        run([*pytest, *arguments.rest])
    else:
        run_lanes({lane: [*pytest, *folders] for lane, folders in LANES.items()})
    run([str(PYTHON), "-m", "coverage", "combine", "--quiet"])
    run([str(PYTHON), "-m", "coverage", "report", "--skip-covered"])


def unit_folders(unit: Path, pattern: str) -> list[str]:
    """Return the folders of unit tests whose names match."""
    return sorted(str(folder) for folder in unit.glob(pattern) if any(folder.glob("test_*.py")))


def run_lanes(commands: Mapping[str, Sequence[str]]) -> None:
    """Run commands at the same time, each line under its name; leave with 1 when any of them fails."""
    lanes = {
        name: subprocess.Popen(
            list(command),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, command in commands.items()
    }
    readers = [threading.Thread(target=pass_on, args=lane, daemon=True) for lane in lanes.items()]
    for reader in readers:
        reader.start()
    try:
        codes = [process.wait() for process in lanes.values()]
    except KeyboardInterrupt:
        for process in lanes.values():
            process.send_signal(signal.SIGINT)
        raise
    for reader in readers:
        reader.join(timeout=10)  # a process that a test has left behind must not hold this one up
    if any(codes):
        sys.exit(1)


def pass_on(name: str, process: subprocess.Popen[bytes]) -> None:
    """Print each line of a process, with the name of its lane in front."""
    assert process.stdout is not None
    for line in process.stdout:
        text = line.decode(errors="replace").rstrip("\n")
        print(f"{name}: {text}", flush=True)


def bench(arguments: argparse.Namespace) -> None:
    """Run the benchmarks, or those named; each prints ratios to a peer measured in the same run."""
    chosen = [name for name in arguments.rest if name in BENCHMARKS]
    options = [word for word in arguments.rest if word not in BENCHMARKS]
    if options and len(chosen) != 1:
        sys.exit(f"bench takes options with one of {', '.join(BENCHMARKS)}, not {' '.join(options)}")
    for name in chosen or BENCHMARKS:
        print(f"== {name}", flush=True)
        run([str(PYTHON), "-m", f"benchmarks.{name}", *(options if len(chosen) == 1 else ())])


def faults(arguments: argparse.Namespace) -> None:
    """Break everything that can break, under load; the options are those of ``tests.faults``."""
    run([str(PYTHON), "-m", "tests.faults", *arguments.rest])


def certs(arguments: argparse.Namespace) -> None:
    """Make certificates of a cluster; the arguments are those of ``cluster_worker.wire.certificates``."""
    run([str(PYTHON), "-m", "cluster_worker.wire.certificates", *arguments.rest])


def clean(arguments: argparse.Namespace) -> None:
    """Remove what the other commands made: .venv, caches, reports and the demo's data."""
    for name in (".venv", "var", "build", "dist", ".mypy_cache", ".ruff_cache", ".hypothesis"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for path in [*ROOT.glob("*.egg-info"), *ROOT.glob(".import_linter_cache")]:
        shutil.rmtree(path, ignore_errors=True)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "build": lambda _: None,
    "run": demo,
    "test": test,
    "bench": bench,
    "faults": faults,
    "certs": certs,
    "clean": clean,
}


def main() -> None:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    help_of = "\n".join(
        f"{name}: {(work.__doc__ or 'make .venv').splitlines()[0]}" for name, work in COMMANDS.items()
    )
    parser.add_argument("command", choices=COMMANDS, help=help_of)
    parser.add_argument("--quick", action="store_true", help="test: checks and unit tests only")
    parser.add_argument("--clean", action="store_true", help="run: forget the data of earlier runs")
    arguments, arguments_rest = parser.parse_known_args()
    arguments.rest = arguments_rest
    if arguments.command != "clean":
        build()
    COMMANDS[arguments.command](arguments)


if __name__ == "__main__":
    main()

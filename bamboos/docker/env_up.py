#!/usr/bin/env python3
"""Raise a whole environment of zones and providers from a JSON description.

Prints what it does and, as the last line, one JSON object that tells where everything is; give a
file with that line to ``cleanup.py``. Exits with 1 when the description has problems (all of them
are listed and nothing is started) or when something did not come up (the JSON is still printed).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bamboos.environment.description import DescriptionError, load
from bamboos.environment.launch import Environment, LaunchFailed
from bamboos.environment.validation import problems

COMPONENTS = {
    "worker": "-bw",
    "cluster-worker": "-bcw",
    "cm": "-bcm",
    "oz": "-boz",
    "onepanel": "-bop",
    "appmock": "-ba",
    "client": "-bc",
}
IMAGES = {
    "image": "-i",
    "ceph-image": "-ci",
    "s3-image": "-si",
    "glusterfs-image": "-gi",
    "webdav-image": "-wi",
    "xrootd-image": "-xi",
    "nfs-image": "-ni",
    "http-image": "-hi",
}


def arguments_of(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line: the options of the original scripts and those of the process engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, short in IMAGES.items():
        parser.add_argument(short, f"--{name}", help="container image (containers only)")
    for name, short in COMPONENTS.items():
        parser.add_argument(short, f"--bin-{name}", help=f"repository of {name} (containers only)")
    parser.add_argument("-l", "--logdir", type=Path, help="logs are linked below this folder, by host name")
    parser.add_argument("--engine", choices=("auto", "process", "docker"), default="auto")
    parser.add_argument("--state-dir", type=Path, help="folder for configurations, data and logs")
    parser.add_argument("config", type=Path, help="the environment description")
    return parser.parse_args(argv)


def engine_note(chosen: str) -> str | None:
    """Why processes are used although containers were wanted or possible; None when they were chosen."""
    if chosen == "process":
        return None
    if shutil.which("docker"):
        return "note: containers are not supported yet; starting local processes instead"
    return "note: no container engine found; starting local processes instead"


def main() -> None:
    """Validate, raise, print the JSON."""
    arguments = arguments_of()
    try:
        description = load(arguments.config)
    except DescriptionError as error:
        sys.exit(str(error))
    for warning in description.warnings:
        print(f"warning: {warning}")
    if found := problems(description):
        print(f"{arguments.config} has {len(found)} problem(s), nothing was started:")
        print("\n".join(f"  - {problem}" for problem in found))
        sys.exit(1)
    if note := engine_note(arguments.engine):
        print(note)
    environment = Environment.prepare(description, arguments.state_dir)
    try:
        environment.up(print)
        failed = False
    except LaunchFailed as error:
        print(f"error: {error}")
        failed = True
    if arguments.logdir:
        environment.link_logs(arguments.logdir)
    print(json.dumps(environment.output()), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

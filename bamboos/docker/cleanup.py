#!/usr/bin/env python3
"""Stop an environment: ``cleanup.py ENVIRONMENT.json ...`` or ``cleanup.py CONTAINER_ID ...``.

A JSON file is what ``env_up.py`` printed as its last line (a saved full output works too). Only
processes that were started for that environment are stopped. ``--remove-state`` deletes its folder
of configurations, logs and data as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment import processes


def main() -> None:
    """Stop everything that the arguments name; exit code 1 when something could not be found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="+", metavar="JSON_OR_CONTAINER_ID")
    parser.add_argument("--remove-state", action="store_true", help="also delete data and logs")
    arguments = parser.parse_args()
    files = [Path(target) for target in arguments.targets if Path(target).is_file()]
    containers = [target for target in arguments.targets if not Path(target).is_file()]
    for path in files:
        output = read_output(path)
        clean_up(Path(output["state_dir"]), remove_state=arguments.remove_state)
        containers += output.get("docker_ids", [])
    if containers and not remove_containers(containers):
        sys.exit(1)


def read_output(path: Path) -> dict[str, Any]:
    """The JSON object on the last line of a saved output."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        output = json.loads("\n".join(lines)) if lines[0].strip() == "{" else json.loads(lines[-1])
    except (ValueError, IndexError):
        sys.exit(f"{path} does not end in the JSON that env_up.py prints")
    if not isinstance(output, dict) or "state_dir" not in output:
        sys.exit(f"{path} has no state_dir: it is not an environment of processes")
    return output


def clean_up(state_dir: Path, *, remove_state: bool) -> None:
    """Stop the environment's processes and, when told, delete its folder."""
    pids = processes.members(state_dir)
    processes.stop(pids, state_dir)
    print(f"stopped {len(pids)} processes of {state_dir}")
    if remove_state and (state_dir / "environment.json").exists():
        shutil.rmtree(state_dir)
        print(f"deleted {state_dir}")


def remove_containers(ids: list[str]) -> bool:
    """Remove containers with their volumes; False when there is no engine or one is unknown to it."""
    if shutil.which("docker") is None:
        print("no container engine on this machine; cannot remove: " + " ".join(ids), file=sys.stderr)
        return False
    return subprocess.call(["docker", "rm", "--force", "--volumes", *ids], timeout=120) == 0


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Stop an environment: ``cleanup.py ENVIRONMENT.json ...`` or ``cleanup.py CONTAINER_ID ...``.

A JSON file is what ``env_up.py`` printed as its last line (a saved full output works too). Only
processes that were started for that environment are stopped; containers are removed with their
volumes and the network that was made for them. ``--remove-state`` deletes the environment's folder of
configurations, logs and data as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment import processes
from bamboos.environment.engines import containers
from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineFailed


def main() -> None:
    """Stop everything that the arguments name; exit code 1 when something could not be found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="+", metavar="JSON_OR_CONTAINER_ID")
    parser.add_argument("--remove-state", action="store_true", help="also delete data and logs")
    arguments = parser.parse_args()
    files = [Path(target) for target in arguments.targets if Path(target).is_file()]
    named = [target for target in arguments.targets if not Path(target).is_file()]
    outputs = [read_output(path) for path in files]
    for output in outputs:
        stop_processes(Path(output["state_dir"]))
    missing = remove_containers(named, outputs)
    if arguments.remove_state:
        for output in outputs:
            remove_state(Path(output["state_dir"]))
    if missing:
        sys.exit(f"no such container: {' '.join(missing)}")


def read_output(path: Path) -> dict[str, Any]:
    """The JSON object on the last line of a saved output."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        output = json.loads("\n".join(lines)) if lines[0].strip() == "{" else json.loads(lines[-1])
    except (ValueError, IndexError):
        sys.exit(f"{path} does not end in the JSON that env_up.py prints")
    if not isinstance(output, dict) or "state_dir" not in output:
        sys.exit(f"{path} has no state_dir: it is not what env_up.py printed")
    return output


def stop_processes(state_dir: Path) -> None:
    """Stop the environment's processes."""
    pids = processes.members(state_dir)
    processes.stop(pids, state_dir)
    print(f"stopped {len(pids)} processes of {state_dir}")


def remove_state(state_dir: Path) -> None:
    """Delete an environment's folder."""
    if (state_dir / "environment.json").exists():
        shutil.rmtree(state_dir)
        print(f"deleted {state_dir}")


def remove_containers(named: Sequence[str], outputs: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Remove the containers and networks of outputs and the containers named; return which do not exist.

    Those of an output may be gone already. Exits with 1 when the engine refuses.
    """
    listed = [container for output in outputs for container in output.get("docker_ids", [])]
    networks = [output["network"] for output in outputs if "network" in output]
    if not named and not listed and not networks:
        return []
    docker = Docker()
    try:
        found = containers.known(docker, [*listed, *named])
        containers.remove(docker, list(found), [*networks, *found.values()])
    except EngineFailed as error:
        sys.exit(f"cannot remove {' '.join([*listed, *named, *networks])}: {error}")
    print(f"removed {len(found)} containers")
    return [container for container in named if container not in found]


if __name__ == "__main__":
    main()

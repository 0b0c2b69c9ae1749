#!/usr/bin/env python3
"""Start one more worker in an environment that runs: ``add_node.py STATE_DIR INSTANCE NODE``.

It is set up as the first worker of the cluster is, joins it, and stays part of the environment when
that is raised again. Prints the environment's JSON as the last line.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment.description import parse
from bamboos.environment.engines.docker import DockerEngine
from bamboos.environment.engines.engine import EngineMaker
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.launch import DESCRIPTION, RECORD, Environment
from bamboos.environment.parts import with_worker
from bamboos.environment.waiting import LaunchFailed

ENGINES: dict[str, EngineMaker] = {"process": ProcessEngine.make, "docker": DockerEngine.make}


def main() -> None:
    """Add the node and print the JSON; exit code 1 when it does not come up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("state_dir", type=Path, help="the environment's folder, state_dir in its output")
    parser.add_argument("instance", help="the cluster, such as krk")
    parser.add_argument("node", help="the name of the new worker, such as worker3")
    arguments = parser.parse_args()
    folder = arguments.state_dir.resolve()
    try:
        engine = json.loads((folder / RECORD).read_text())["engine"]
        document = json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"{folder} is not the folder of an environment: {error}")
    try:
        larger = with_worker(document, arguments.instance, arguments.node)
    except KeyError:
        sys.exit(f"there is no cluster {arguments.instance} in {folder / DESCRIPTION}")
    except ValueError as error:
        sys.exit(str(error))
    environment = Environment.prepare(parse(larger), folder, ENGINES[engine])
    try:
        environment.add(arguments.instance, arguments.node, print)
    except LaunchFailed as error:
        sys.exit(f"error: {error}")
    print(json.dumps(environment.output()), flush=True)


if __name__ == "__main__":
    main()

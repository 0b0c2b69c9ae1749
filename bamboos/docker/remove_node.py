#!/usr/bin/env python3
"""Take a worker out of a cluster: ``remove_node.py ENVIRONMENT.json --provider NAME --node worker2``.

The worker drains, stops and leaves the cluster for good; its folder stays. Prints, as the last line, the
JSON of the environment as it is then.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.docker.cleanup import read_output
from bamboos.environment.resizing import Resizing
from bamboos.environment.waiting import LaunchFailed


def main() -> None:
    """Change the cluster and print the JSON; exit code 1 with a sentence when that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("environment", type=Path, help="file with what env_up.py printed")
    parser.add_argument("--provider", "--instance", required=True, help="the cluster's name, such as krk")
    parser.add_argument("--node", required=True, help="short name of the worker, such as worker2")
    arguments = parser.parse_args()
    resizing = Resizing(Path(read_output(arguments.environment)["state_dir"]), arguments.provider)
    try:
        output = resizing.remove(arguments.node, print)
    except LaunchFailed as error:
        sys.exit(f"error: {error}")
    print(json.dumps(output), flush=True)


if __name__ == "__main__":
    main()

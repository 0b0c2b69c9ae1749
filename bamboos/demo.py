"""The demonstration environment: one zone, one provider, in the foreground until Ctrl-C.

Data are kept in ``var/demo`` and found again by the next run; ``--clean`` forgets them first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from bamboos.environment.configurator import PASSWORD, access_token
from bamboos.environment.description import load
from bamboos.environment.launch import Environment
from bamboos.environment.validation import problems
from bamboos.environment.waiting import LaunchFailed

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTION = ROOT / "bamboos" / "example_env" / "single_oz_and_provider.json"
FOLDER = ROOT / "var" / "demo"


def main() -> None:
    """Raise the environment, tell how to use it, wait for Ctrl-C, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", action="store_true", help="forget the data of earlier runs")
    parser.add_argument("--state-dir", type=Path, default=FOLDER, help="where data and logs are kept")
    parser.add_argument("--config", type=Path, default=DESCRIPTION, help="another environment description")
    arguments = parser.parse_args()
    if arguments.clean:
        shutil.rmtree(arguments.state_dir, ignore_errors=True)
    description = load(arguments.config)
    if found := problems(description):
        sys.exit("\n".join(found))
    environment = Environment.prepare(description, arguments.state_dir)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        environment.up(lambda line: print(f"  {line}", flush=True))
        print("\n".join(summary(environment)), flush=True)
        stopping.wait()
        print("\nstopping ...", flush=True)
    except LaunchFailed as error:
        sys.exit(f"error: {error}")
    finally:
        environment.down()
    print(f"stopped; data stay in {arguments.state_dir}")


def summary(environment: Environment) -> Sequence[str]:
    """What a person needs to begin: addresses, users, a token, and lines to paste."""
    description = environment.description
    lines = ["", "Ready.", ""]
    if not description.zones or not description.providers or description.setup is None:
        return [*lines, f"Nodes: {', '.join(environment.output()['pids'])}", "Press Ctrl-C to stop."]
    provider = description.providers[0]
    base = f"https://{environment.domain(provider)}"
    zone = environment.zone_door()
    user = next(iter(description.setup.users))
    space = next(space for space in description.setup.spaces if provider.name in space.supports)
    token = access_token(zone, user, f"demo {environment.names.uid} {os.getpid()}")
    curl = f"curl --cacert {environment.ca_cert} -H 'X-Auth-Token: {token}'"
    url = f"{base}/cdmi/{space.displayed_name}/hello.txt"
    return [
        *lines,
        f"  Onezone      https://{zone.address}:{zone.port}/api/v3/onezone",
        f"  Oneprovider  {base}/api/v3/oneprovider   and   {base}/cdmi/",
        f"  Users        {', '.join(description.setup.users)} (password: {PASSWORD})",
        f"  Spaces       {', '.join(s.displayed_name for s in description.setup.spaces)}",
        f"  Authority    {environment.ca_cert}",
        f"  Token        {token}",
        "",
        "Try:",
        f"  {curl} -T README.md {url}",
        f"  {curl} {url}",
        f"  {curl} -X DELETE {url}",
        "",
        "Press Ctrl-C to stop.",
    ]


if __name__ == "__main__":
    main()

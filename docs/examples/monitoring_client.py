"""Prints what a space holds and how it is used, from the monitoring interface of a Oneprovider.

``python monitoring_client.py --host provider.example.org --token-file token [--watch SECONDS] SPACE_ID``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

METRICS = ("storage_used", "storage_quota", "data_access", "block_access", "connected_users")
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def newest(session: requests.Session, base: str, space: str, metric: str, step: str) -> dict[str, Any]:
    """Return the newest known value of each source of a metric, summed over all providers."""
    answer = session.get(
        f"{base}/metrics/space/{space}",
        params={"metric": metric, "step": step},
        timeout=30,
        verify=session.verify,  # said here, it counts more than the environment
    )
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status_code}: {answer.json()['error']['description']}")
    found: dict[str, Any] = {}
    for provider in answer.json():
        rrd = provider["rrd"]
        if not rrd:
            continue  # it has gathered nothing yet
        for column, legend in enumerate(rrd["meta"]["legend"]):
            source, _, unit = legend.rpartition("; ")[2].partition("[")
            known = [row[column] for row in rrd["data"] if row[column] is not None]
            total, _ = found.get(source, (None, unit))
            if known:
                total = known[-1] + (total or 0)
            found[source] = (total, unit.rstrip("]"))
    return found


def readable(value: float | None, unit: str) -> str:
    """Return a value as people write it."""
    if value is None:
        return "unknown"
    if not unit.startswith("bytes"):
        return f"{value:g} {unit}"
    for prefix in UNITS:
        if value < 1000 or prefix == UNITS[-1]:
            return f"{value:.4g} {prefix}{unit.removeprefix('bytes')}"
        value /= 1000
    raise AssertionError


def table(session: requests.Session, base: str, space: str, step: str) -> str:
    """Return the table of a space."""
    lines = [f"space {space}"]
    for metric in METRICS:
        for source, (value, unit) in newest(session, base, space, metric, step).items():
            lines.append(f"  {source:<20} {readable(value, unit):>16}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Print the table once, or again and again."""
    parser = argparse.ArgumentParser(description="Shows storage used and access rates of a space.")
    parser.add_argument("space", metavar="SPACE_ID")
    parser.add_argument("--host", required=True, help="host[:port] of the provider")
    parser.add_argument("--token-file", required=True, type=Path, help="file with an access token")
    parser.add_argument("--ca-file", help="PEM file of a trusted authority; else the system's are")
    parser.add_argument("--step", default="5m", choices=("5m", "1h", "1d", "1m"))
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="print it again after so long")
    options = parser.parse_args(arguments)
    with requests.Session() as session:
        session.headers["X-Auth-Token"] = options.token_file.read_text().strip()
        session.verify = options.ca_file or True
        base = f"https://{options.host}/api/v3/oneprovider"
        while True:
            print(table(session, base, options.space, options.step), flush=True)
            if options.watch is None:
                return
            time.sleep(options.watch)


if __name__ == "__main__":
    main(sys.argv[1:])

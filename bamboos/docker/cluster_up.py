#!/usr/bin/env python3
"""Raise the bare clusters of a JSON description, or those of another kind; see env_up.py."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment.command_line import add_options, raise_described
from bamboos.environment.parts import PARTS


def main() -> None:
    """Validate, raise, print the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, ["worker", "cm"])
    parser.add_argument(
        "-do", "--domains", choices=PARTS, default="cluster_domains", help="which clusters of the description"
    )
    arguments = parser.parse_args()
    raise_described(arguments, PARTS[arguments.domains])


if __name__ == "__main__":
    main()

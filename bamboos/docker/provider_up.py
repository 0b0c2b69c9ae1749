#!/usr/bin/env python3
"""Raise the providers of a JSON description, registered in no zone; see env_up.py."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment.command_line import add_options, raise_described
from bamboos.environment.parts import providers_alone


def main() -> None:
    """Validate, raise, print the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, ["worker", "cm"])
    arguments = parser.parse_args()
    raise_described(arguments, providers_alone)


if __name__ == "__main__":
    main()

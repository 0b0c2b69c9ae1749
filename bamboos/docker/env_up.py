#!/usr/bin/env python3
"""Raise a whole environment of zones and providers from a JSON description.

Prints what it does and, as the last line, one JSON object that tells where everything is; give a
file with that line to ``cleanup.py``. Exits with 1 when the description has problems (all of them
are listed and nothing is started) or when something did not come up (the JSON is still printed).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bamboos.environment.command_line import COMPONENTS, add_options, raise_described

STORAGE_IMAGES = {
    "ceph-image": "-ci",
    "s3-image": "-si",
    "glusterfs-image": "-gi",
    "webdav-image": "-wi",
    "xrootd-image": "-xi",
    "nfs-image": "-ni",
    "http-image": "-hi",
}


def main() -> None:
    """Validate, raise, print the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_options(parser, list(COMPONENTS))
    for name, short in STORAGE_IMAGES.items():
        parser.add_argument(short, f"--{name}", help="accepted; storages of this kind are not raised")
    raise_described(parser.parse_args())


if __name__ == "__main__":
    main()

"""Runs the whole fault suite: ``python -m tests.faults --all [--write docs/faults.md]``.

Every fault alone, then pairs of faults chosen by a seed. Prints a row for each as it is done, and what is
wrong with it; the exit code is 1 when anything is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.catalogue import all_faults
from tests.faults.figures import Figures, put_between_marks, table
from tests.faults.pairs import choose
from tests.faults.suite import SOME, run
from tests.support.isolation import why_not

PAIRS, SEED = 16, 5


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every fault, and pairs; what is done anyway")
    parser.add_argument("--some", action="store_true", help="only what every run of the tests injects")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="so many pairs of faults")
    parser.add_argument("--seed", type=int, default=SEED, help="chooses the pairs")
    parser.add_argument("--only", action="append", default=[], metavar="A[+B]", help="this fault or pair")
    parser.add_argument("--list", action="store_true", help="print the names of all faults")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the page's marks")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave logs and data there")
    return parser.parse_args(arguments)


def scenarios_of(options: argparse.Namespace) -> Sequence[Sequence[str]]:
    """Return the names of the faults of each scenario."""
    if options.only:
        return [[name.strip() for name in text.split("+")] for text in options.only]
    if options.some:
        return SOME
    faults = all_faults()
    pairs = choose(faults, options.pairs, options.seed)
    return [*([fault.name] for fault in faults), *([fault.name for fault in pair] for pair in pairs)]


def report(scenarios: Sequence[Sequence[str]], folder: Path) -> Sequence[Figures]:
    """Run the scenarios; print each row when it is there."""
    rows = []
    for figures in run(scenarios, folder):
        rows.append(figures)
        print(table([figures]).splitlines()[-1], flush=True)
        for problem in figures.problems():
            print(f"    {problem}", flush=True)
    return rows


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    options = parse(arguments)
    if options.list:
        print("\n".join(fault.name for fault in all_faults()))
        return 0
    if reason := why_not():
        sys.exit(f"the fault suite cannot run here: {reason}")
    began, scenarios = time.monotonic(), scenarios_of(options)
    with tempfile.TemporaryDirectory(prefix="faults-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = report(scenarios, folder)
    print(f"{len(rows)} runs in {(time.monotonic() - began) / 60:.1f} minutes")
    if options.write:
        options.write.write_text(put_between_marks(options.write.read_text(), table(rows)))
    return int(any(row.problems() for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A real tree of files to upload: what is installed on every machine that runs the tests."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(sysconfig.get_paths()["stdlib"])
PURELIB = Path(sysconfig.get_paths()["purelib"])
WANTED = 10_050


def real_files() -> Mapping[str, Path]:
    """Relative path → file: the standard library, and installed packages up to the number wanted."""
    found: dict[str, Path] = {}
    for prefix, folder in (("stdlib", SOURCE), ("packages", PURELIB)):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parts
            if len(found) >= WANTED or "site-packages" in inside or path.is_symlink() or not path.is_file():
                continue
            found["/".join((prefix, *inside))] = path
    return found

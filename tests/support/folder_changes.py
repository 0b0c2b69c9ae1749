"""Random changes of a folder, as somebody makes them who knows nothing of us."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

TICK_S = 0.01
"""What changes later than this gets another time, on any file system."""


def change_folder(folder: Path, random: Random, changes: int) -> None:
    """Do something to a folder, again and again."""
    time.sleep(TICK_S)
    for _ in range(changes):
        depth = random.randint(1, 3)
        target = folder.joinpath(*(random.choice("abcd") for _ in range(depth)))
        match random.randrange(8):
            case 0 | 1 | 2:
                _write(target, random.randbytes(random.randint(0, 30)))
            case 3:
                _make(target)
            case 4:
                _remove(target)
            case 5:
                other = folder.joinpath(*(random.choice("abcd") for _ in range(random.randint(1, 3))))
                _move(target, other)
            case 6 if target.exists():
                target.chmod(random.choice((0o600, 0o640, 0o755) if target.is_file() else (0o700, 0o755)))
            case 7 if target.is_file():
                with target.open("ab") as file:
                    file.write(random.randbytes(3))
    time.sleep(TICK_S)


def _write(target: Path, data: bytes) -> None:
    if target.is_dir():
        _remove(target)
    if _make(target.parent):
        target.write_bytes(data)


def _make(target: Path) -> bool:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _remove(target: Path) -> None:
    if target.is_dir():
        for inner in target.iterdir():
            _remove(inner)
        target.rmdir()
    elif target.parent.is_dir():
        target.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    if source.exists() and target.parent.is_dir() and not target.exists() and source not in target.parents:
        source.rename(target)

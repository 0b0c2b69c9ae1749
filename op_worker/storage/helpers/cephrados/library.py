"""The Python module of RADOS, which comes with the operating system and not as a Python package."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from pathlib import Path
from types import ModuleType

from op_worker.storage.types import BadStorageError

SYSTEM_FOLDERS = (Path("/usr/lib/python3/dist-packages"),)
"""Where Debian puts Python modules, which an environment of its own does not look at."""
_NAME = "rados"


def load_rados(folders: Sequence[Path] = SYSTEM_FOLDERS) -> ModuleType:
    """Return the module, from the path or from the folders of the system.

    Only its one file is taken from there, and only when it was built for this version of Python.

    Raises: BadStorageError that tells what to install.
    """
    try:
        return importlib.import_module(_NAME)
    except ImportError:
        pass
    for file in (folder / (_NAME + suffix) for folder in folders for suffix in EXTENSION_SUFFIXES):
        if file.is_file():
            return _loaded(file)
    raise BadStorageError(
        "storages of type cephrados need the Python module of RADOS for this version of Python: "
        "install the Debian package python3-rados"
    )


def _loaded(file: Path) -> ModuleType:
    loader = ExtensionFileLoader(_NAME, str(file))
    spec = importlib.util.spec_from_loader(_NAME, loader)
    assert spec is not None
    try:
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except ImportError as error:
        raise BadStorageError(f"the module of RADOS in {file} cannot be used: {error}") from error
    return module

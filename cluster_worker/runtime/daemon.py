"""What the ``tap`` modules of all daemons share: their option, and how a start is refused."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from typing import ClassVar, NoReturn, TypeVar

from twisted.application.service import IService
from twisted.python import usage

from cluster_worker.runtime.configuration import ConfigurationError, load_configuration

C = TypeVar("C")


class DaemonOptions(usage.Options):
    """``--config FILE``; without it the daemon runs on its defaults."""

    optParameters: ClassVar[list[list[object]]] = [
        ["config", "c", None, "Configuration file (TOML); see etc/ for every option and its default."],
    ]


def configuration_of(options: usage.Options, cls: type[C], environment: Mapping[str, str], prefix: str) -> C:
    """Load the daemon's configuration; when it is wrong, print every problem and exit with 1."""
    try:
        return load_configuration(cls, options["config"], environment, prefix)
    except ConfigurationError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        refuse_start(f"the configuration cannot be used:\n{lines}")


def configuration_reader(
    options: usage.Options, cls: type[C], environment: Mapping[str, str], prefix: str
) -> Callable[[], C]:
    """Return what reads the daemon's configuration again, from any folder. Raises: ConfigurationError."""
    path = None if options["config"] is None else os.path.abspath(options["config"])
    return lambda: load_configuration(cls, path, environment, prefix)


def make_or_refuse(make: Callable[[], IService], expected: tuple[type[Exception], ...]) -> IService:
    """Return ``make()``; when it raises one of ``expected``, say so in a sentence and exit with 1."""
    try:
        return make()
    except expected as error:
        refuse_start(str(error))


def tune_collector() -> None:
    """Let the collector of cyclic garbage look rarely, and never at what was made before the start.

    A request makes some hundred objects, nearly all of which reference counting frees; with Python's
    own thresholds looking for cycles among them takes a sixth of a small upload's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def refuse_start(reason: str) -> NoReturn:
    """End the process with exit code 1 and the reason on standard error."""
    sys.stderr.write(f"cannot start: {reason}\n")
    raise SystemExit(1)

"""``twistd oz-worker``."""

from __future__ import annotations

import os

from twisted.application.service import IService
from twisted.internet import reactor
from twisted.python import usage

from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.configuration import ConfigurationError, load_configuration
from cluster_worker.runtime.state_folder import StateFolderInUse, claim_state_folder
from oz_worker.app import make_oz_worker
from oz_worker.config import ENVIRONMENT_PREFIX, OzWorkerConfig


class Options(usage.Options):
    """Command line of the daemon."""

    optParameters = [["config", "c", None, "Configuration file (TOML); defaults without one."]]

    def postOptions(self) -> None:
        """Read the configuration, so that its problems appear before anything starts."""
        try:
            self["configuration"] = load_configuration(
                OzWorkerConfig, self["config"], os.environ, ENVIRONMENT_PREFIX
            )
        except ConfigurationError as exc:
            raise usage.UsageError("\n".join(exc.problems)) from None


def makeService(options: Options) -> IService:
    """Return the daemon."""
    config: OzWorkerConfig = options["configuration"]
    try:
        claim = claim_state_folder(config.state_dir)
    except (StateFolderInUse, OSError) as exc:
        raise usage.UsageError(str(exc)) from None
    daemon = make_oz_worker(reactor, config, system_wall_clock)
    daemon.claim = claim  # type: ignore[attr-defined]  # the claim lives as long as the daemon
    return daemon

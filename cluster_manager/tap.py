"""``twistd cluster-manager``: the command line and the one place with the global reactor."""

from __future__ import annotations

import os
from typing import cast

from twisted.application.service import IService
from twisted.python import usage

from cluster_manager.app import make_cluster_manager
from cluster_manager.config import ClusterManagerConfig
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.configuration import ConfigurationError, load_configuration
from cluster_worker.wire.certificates import CertificateProblem
from cluster_worker.wire.connections import LinkReactor

ENVIRONMENT_PREFIX = "CLUSTER_MANAGER"


class Options(usage.Options):
    """Options of ``twistd cluster-manager``."""

    synopsis = "[--config FILE]"
    optParameters = [
        ["config", "c", None, "configuration file (TOML); without it the manager runs on local defaults"],
    ]


def makeService(options: Options) -> IService:
    """Return the cluster-manager's service. Raises: usage.UsageError naming everything that is wrong."""
    from twisted.internet import reactor

    try:
        config = load_configuration(ClusterManagerConfig, options["config"], os.environ, ENVIRONMENT_PREFIX)
        return make_cluster_manager(cast(LinkReactor, reactor), config, system_wall_clock)
    except ConfigurationError as error:
        raise usage.UsageError("\n".join(error.problems)) from error
    except (CertificateProblem, OSError) as error:
        raise usage.UsageError(str(error)) from error

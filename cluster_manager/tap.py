"""``twistd cluster-manager``."""

from __future__ import annotations

import os
from typing import cast

from twisted.application.service import IService

from cluster_manager.app import make_cluster_manager
from cluster_manager.config import ENVIRONMENT_PREFIX, ClusterManagerConfig
from cluster_worker.runtime.clock import keep_steady, system_wall_clock
from cluster_worker.runtime.daemon import (
    DaemonOptions,
    configuration_of,
    configuration_reader,
    make_or_refuse,
)
from cluster_worker.runtime.state_folder import StateFolderInUse
from cluster_worker.wire.certificates import CertificateProblem
from cluster_worker.wire.connections import LinkReactor
from cluster_worker.wire.tls import BadCredentials

_REFUSALS = (StateFolderInUse, CertificateProblem, BadCredentials, OSError)


class Options(DaemonOptions):
    """Options of the daemon."""

    longdesc = "Keeps the nodes of one cluster together: membership, boot, ring, load advice, health."


def makeService(options: Options) -> IService:
    """Return the daemon; exits with one clear sentence when it cannot start."""
    from twisted.internet import reactor

    keep_steady(reactor)
    config = configuration_of(options, ClusterManagerConfig, os.environ, ENVIRONMENT_PREFIX)
    read_again = configuration_reader(options, ClusterManagerConfig, os.environ, ENVIRONMENT_PREFIX)
    links = cast(LinkReactor, reactor)
    return make_or_refuse(
        lambda: make_cluster_manager(links, config, system_wall_clock, read_again=read_again), _REFUSALS
    )

"""``twistd cluster-worker``."""

from __future__ import annotations

import os

from twisted.application.service import IService

from cluster_worker.app import make_cluster_worker
from cluster_worker.config import ENVIRONMENT_PREFIX, ClusterWorkerConfig
from cluster_worker.runtime.clock import keep_steady
from cluster_worker.runtime.daemon import (
    DaemonOptions,
    configuration_of,
    configuration_reader,
    make_or_refuse,
)
from cluster_worker.runtime.state_folder import StateFolderInUse
from cluster_worker.wire.tls import BadCredentials


class Options(DaemonOptions):
    """Options of the daemon."""

    longdesc = "A node of a cluster without an application, to try the framework."


def makeService(options: Options) -> IService:
    """Return the daemon; exits with one clear sentence when it cannot start."""
    from twisted.internet import reactor

    keep_steady(reactor)
    config = configuration_of(options, ClusterWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    read_again = configuration_reader(options, ClusterWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    return make_or_refuse(
        lambda: make_cluster_worker(reactor, config, read_again), (StateFolderInUse, BadCredentials, OSError)
    )

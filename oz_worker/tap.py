"""``twistd oz-worker``."""

from __future__ import annotations

import os

from twisted.application.service import IService

from cluster_worker.http.tls import BadCertificateError
from cluster_worker.runtime.clock import keep_steady, system_wall_clock
from cluster_worker.runtime.daemon import (
    DaemonOptions,
    configuration_of,
    configuration_reader,
    make_or_refuse,
)
from cluster_worker.runtime.state_folder import StateFolderInUse
from cluster_worker.wire.certificates import CertificateProblem
from cluster_worker.wire.tls import BadCredentials
from oz_worker.app import make_oz_worker
from oz_worker.config import ENVIRONMENT_PREFIX, OzWorkerConfig

_REFUSALS = (StateFolderInUse, BadCertificateError, BadCredentials, CertificateProblem, OSError)


class Options(DaemonOptions):
    """Options of the daemon."""

    longdesc = "Onezone: knows users, groups, spaces, providers and tokens; tells providers of changes."


def makeService(options: Options) -> IService:
    """Return the daemon; exits with one clear sentence when it cannot start."""
    from twisted.internet import reactor

    keep_steady(reactor)
    config = configuration_of(options, OzWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    read_again = configuration_reader(options, OzWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    return make_or_refuse(lambda: make_oz_worker(reactor, config, system_wall_clock, read_again), _REFUSALS)

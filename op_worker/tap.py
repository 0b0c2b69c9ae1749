"""``twistd op-worker``."""

from __future__ import annotations

import os

from twisted.application.service import IService

from cluster_worker.http.tls import BadCertificateError
from cluster_worker.runtime.clock import keep_steady
from cluster_worker.runtime.daemon import (
    DaemonOptions,
    configuration_of,
    configuration_reader,
    make_or_refuse,
    tune_collector,
)
from cluster_worker.runtime.state_folder import StateFolderInUse
from cluster_worker.wire.tls import BadCredentials
from op_worker.app import make_op_worker
from op_worker.config import ENVIRONMENT_PREFIX, OpWorkerConfig
from op_worker.zone.connection import UnusableCertificateError

_REFUSALS = (StateFolderInUse, BadCertificateError, BadCredentials, UnusableCertificateError, OSError)


class Options(DaemonOptions):
    """Options of the daemon."""

    longdesc = "Oneprovider: keeps files of spaces on its storages and serves them over REST and CDMI."


def makeService(options: Options) -> IService:
    """Return the daemon; exits with one clear sentence when it cannot start."""
    from twisted.internet import reactor

    keep_steady(reactor)
    config = configuration_of(options, OpWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    read_again = configuration_reader(options, OpWorkerConfig, os.environ, ENVIRONMENT_PREFIX)
    daemon = make_or_refuse(lambda: make_op_worker(reactor, config, read_again), _REFUSALS)
    tune_collector()
    return daemon

"""Containers of environments: how they are marked, and their removal together with their networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineFailed

ENVIRONMENT = "onedata.environment"
"""Label with the folder of the environment, on containers and networks."""

NETWORK = "onedata.network"
"""Label of a container with the name of the network that was made for it."""

NODE = "onedata.node"
"""Label of a container with the name of its node."""


def known(docker: Docker, ids: Iterable[str]) -> Mapping[str, str]:
    """Those of the containers that exist → the network that was made for each, "" when none was.

    Raises: EngineFailed when no engine answers.
    """
    found = {}
    for container in ids:
        template = f'{{{{index .Config.Labels "{NETWORK}"}}}}'
        try:
            found[container] = docker("container", "inspect", "--format", template, container)
        except EngineFailed as error:
            if "No such container" not in str(error):
                raise
    return found


def remove(docker: Docker, ids: Sequence[str], networks: Iterable[str]) -> None:
    """Remove containers with their volumes, and those of ``networks`` that are ours and empty by then.

    Raises: EngineFailed when something could not be removed.
    """
    if ids:
        docker("rm", "--force", "--volumes", *ids)
    ours = docker("network", "ls", "--format", "{{.Name}}", "--filter", f"label={ENVIRONMENT}").split()
    for network in set(networks) & set(ours):
        if docker("network", "inspect", "--format", "{{len .Containers}}", network) == "0":
            docker("network", "rm", network)

"""Parts of a description that come up alone; pure."""

from __future__ import annotations

from dataclasses import replace

from bamboos.environment.description import Description, Instance


def zones_alone(description: Description) -> Description:
    """The zones, empty."""
    return replace(description, providers=(), clusters=(), setup=None)


def providers_alone(description: Description) -> Description:
    """The providers with their storages, registered nowhere."""
    providers = [_without_zone(provider) for provider in description.providers]
    return replace(description, zones=(), providers=providers, clusters=(), setup=None)


def clusters_alone(description: Description) -> Description:
    """The bare clusters."""
    return replace(description, zones=(), providers=(), setup=None)


PARTS = {
    "zone_domains": zones_alone,
    "provider_domains": providers_alone,
    "cluster_domains": clusters_alone,
}
"""Key of a description → the part that it describes."""


def _without_zone(provider: Instance) -> Instance:
    workers = {
        name: {key: value for key, value in variables.items() if key != "oz_domain"}
        for name, variables in provider.workers.items()
    }
    return replace(provider, workers=workers)

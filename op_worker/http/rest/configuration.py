"""What a provider tells anybody about itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from op_worker.zone.directory import Zone

PRODUCT_VERSION = "21.02.8"
"""Reported to clients, which choose the attribute names they use by it."""


@frozen(kw_only=True)
class ProductInfo:
    """The constant part of the configuration document."""

    version: str = PRODUCT_VERSION
    build: str = "unknown"
    rtransfer_port: int = 6665
    compatibility_registry_revision: int = 0
    compatible_onezone_versions: Sequence[str] = (PRODUCT_VERSION,)
    compatible_oneprovider_versions: Sequence[str] = (PRODUCT_VERSION,)
    compatible_oneclient_versions: Sequence[str] = (PRODUCT_VERSION,)


def configuration_document(zone: Zone, product: ProductInfo) -> dict[str, Any]:
    """Return the document of ``/configuration``; identity is null before registration."""
    return {
        "providerId": zone.provider_id,
        "name": zone.provider_name,
        "domain": zone.provider_domain,
        "onezoneDomain": zone.zone_domain,
        "version": product.version,
        "build": product.build,
        "rtransferPort": product.rtransfer_port,
        "compatibilityRegistryRevision": product.compatibility_registry_revision,
        "compatibleOnezoneVersions": list(product.compatible_onezone_versions),
        "compatibleOneproviderVersions": list(product.compatible_oneprovider_versions),
        "compatibleOneclientVersions": list(product.compatible_oneclient_versions),
    }

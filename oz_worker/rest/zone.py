"""The zone about itself: configuration, health, zone privileges, a picture to test with."""

from __future__ import annotations

import base64
from typing import Final

from attrs import frozen

from onedata.privileges import ZONE_ADMIN, ZONE_VIEWER
from oz_worker.rest.access import anyone
from oz_worker.rest.routes import Call, Ok, Raw, Reply, route

PRODUCT_VERSION: Final = "21.02.8"
COMPATIBLE_PROVIDERS: Final = ("21.02.5", "21.02.6", "21.02.7", "21.02.8")
PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@frozen
class ZoneInfo:
    """What the zone tells everybody about itself."""

    name: str | None
    domain: str
    build: str
    delegates_subdomains: bool

    def to_json(self) -> dict[str, object]:
        """Return the reply of ``GET /configuration``."""
        return {
            "name": self.name,
            "version": PRODUCT_VERSION,
            "build": self.build,
            "domain": self.domain,
            "subdomainDelegationSupported": self.delegates_subdomains,
            "supportedIdPs": [],
            "compatibilityRegistryRevision": 0,
            "compatibleOneproviderVersions": list(COMPATIBLE_PROVIDERS),
            "openDataXrootdServerDomain": None,
            "bagitUploaderWorkflowSchemaId": None,
            "availableSpaceTags": {"general": [], "domains": []},
        }


class ZoneRoutes:
    """Public facts."""

    def __init__(self, info: ZoneInfo) -> None:
        self._info = info

    @route("GET", "/configuration", "zone.null.configuration:public", anyone)
    async def configuration(self, call: Call) -> Reply:
        return Ok(self._info.to_json())

    @route("GET", "/health", "zone.null.health:public", anyone)
    async def health(self, call: Call) -> Reply:
        return Ok({"status": "healthy"})

    @route("GET", "/test_image", "zone.null.test_image:public", anyone)
    async def test_image(self, call: Call) -> Reply:
        return Raw(PIXEL, b"image/png")

    @route("GET", "/privileges", "zone.null.privileges:public", anyone)
    async def privileges(self, call: Call) -> Reply:
        return Ok({"viewer": sorted(ZONE_VIEWER), "admin": sorted(ZONE_ADMIN)})

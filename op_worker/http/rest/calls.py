"""One request to the door, understood: who asks, for what, with which parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from onedata.errors import BadValueFilePath, MissingRequiredValue, SpaceNotSupportedBy
from onedata.ids import FileGuid, InvalidFileId, SpaceId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.changes.service import ChangeStreams
from op_worker.downloads.service import Downloads
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.http.rest.configuration import ProductInfo
from op_worker.importing.registering import Registering
from op_worker.mapping.showing import ShownOwners
from op_worker.metrics.answers import MetricAnswers
from op_worker.search.service import Searching
from op_worker.shares.service import Shares
from op_worker.statistics.service import Statistics
from op_worker.zone.directory import Zone

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

BASE_PATH = "/api/v3/oneprovider"
_NO_SPACE = SpaceId("")


@frozen(kw_only=True)
class RestServices:
    """What the operations work on.

    Attributes:
        statistics: ``None`` where no space has any.
        metrics: ``None`` where nothing is gathered.
        registering: ``None`` where nothing is imported.
        owners: ``None`` where files are shown with computed uids and gids.
        is_healthy: whether ``/health`` may say so.
        domain: the host (and port) that clients use, for absolute links; ``None`` takes the one they sent.
    """

    files: FileService
    searching: Searching
    changes: ChangeStreams
    shares: Shares
    downloads: Downloads
    zone: Zone
    product: ProductInfo
    is_healthy: Callable[[], bool]
    domain: Callable[[], str | None]
    statistics: Statistics | None = None
    metrics: MetricAnswers | None = None
    owners: ShownOwners | None = None
    registering: Registering | None = None


@frozen(kw_only=True, eq=False)
class RestCall:
    """Handed to every operation.

    Attributes:
        params: checked values of the route's parameters, by name.
        target: the file that the path names; the user root for routes without one.
        names: components of a trailing path.
        space_id: of routes below ``/spaces/``.
        ids: every named part of the path as it came.
    """

    services: RestServices
    request: StreamingRequest = field(repr=False)
    caller: Caller
    params: Mapping[str, Any]
    guid: FileGuid | None = None
    names: tuple[str, ...] = ()
    space_id: SpaceId = _NO_SPACE
    ids: Mapping[str, str] = field(factory=dict)

    @property
    def files(self) -> FileService:
        return self.services.files

    @property
    def shares(self) -> Shares:
        return self.services.shares

    @property
    def target(self) -> Target:
        """The file that the request is about."""
        assert self.guid is not None, "only routes of files have a target"
        return Target(self.guid, self.names)

    def link(self, path: str) -> str:
        """Return the absolute URL of ``path``, which is below the door."""
        return self.url(f"{BASE_PATH}{path}")

    def url(self, path: str) -> str:
        """Return the absolute URL of a path on this provider."""
        host = self.services.domain() or (self.request.getHeader(b"host") or b"").decode("latin-1")
        scheme = "https" if self.request.isSecure() else "http"
        return f"{scheme}://{host}{path}"


Operation = Callable[[RestCall], Awaitable[None]]


def file_of(text: str, zone: Zone) -> FileGuid:
    """Return the file that an id in a path names: an object id, or a space's id for its root.

    Raises:
        SpaceNotSupportedBy: it is neither.
    """
    try:
        return FileGuid.from_object_id(text)
    except InvalidFileId:
        if text not in zone.supported_spaces():
            raise SpaceNotSupportedBy(text, zone.provider_id or "") from None
        return space_root_guid(SpaceId(text))


def names_of(path: str) -> tuple[str, ...]:
    """Return the components of a path; empty ones and ``.`` are skipped.

    Raises:
        BadValueFilePath: it has a ``..`` or a NUL.
    """
    names = tuple(name for name in path.split("/") if name not in ("", "."))
    if ".." in names or "\0" in path:
        raise BadValueFilePath()
    return names


def required_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``names`` unless there are none.

    Raises:
        MissingRequiredValue: of ``path``.
    """
    if not names:
        raise MissingRequiredValue("path")
    return names

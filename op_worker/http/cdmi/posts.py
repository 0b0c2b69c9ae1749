"""POST: new objects in a container, named by their ids, and what kinds of resources do with it themselves."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.http.errors import HttpError
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, Errno, NotSupported, Posix
from onedata.ids import FileGuid, SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import AnyAnswer
from op_worker.http.cdmi.belonging import domain_meant
from op_worker.http.cdmi.handlers import Maker, Place, Placed
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.representation import logical_path
from op_worker.http.cdmi.requests.addresses import OBJECT_IDS, RESERVED_PREFIX, Branch, path_text
from op_worker.http.cdmi.requests.domain_names import MEMBER
from op_worker.http.cdmi.requests.methods import allowed_methods
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.request import CdmiRequest


@frozen(eq=False)
class InContainer:
    """The place for a new object in a container, which is named by its id."""

    _files: FileService
    _caller: Caller
    _container: FileStat

    async def take(self, domain_uri: str | None, moved: FileGuid | None = None, wish: str = "") -> Placed:
        """Return where the object goes; see ``Place``."""
        wanted = Target(self._container.guid, (wish,))
        if wish and not wish.startswith(RESERVED_PREFIX) and await self._is_free(wanted):
            return Placed(wanted, path_text((*logical_path(self._container), wish)))
        target = self._files.nameless.named_by_id(Target(self._container.guid), moved)
        return Placed(target, f"{path_text(logical_path(self._container))}/{target.names[-1]}")

    async def _is_free(self, wanted: Target) -> bool:
        """Whether a name can be given that nobody has."""
        try:
            await self._files.stat(self._caller, wanted)
        except Posix as error:
            return error.errno is Errno.ENOENT
        return False


@frozen(eq=False)
class WithoutName:
    """The place for objects that have an id and no name."""

    _files: FileService
    _caller: Caller
    _host: str

    async def take(self, domain_uri: str | None, moved: FileGuid | None = None, wish: str = "") -> Placed:
        """Return where the object goes: into the space of the domain; see ``Place``."""
        space_id = None if domain_uri is None else await self._space_of(domain_uri)
        target = await self._files.nameless.place(self._caller, space_id, moved)
        return Placed(target, path_text((OBJECT_IDS, target.names[-1])))

    async def _space_of(self, domain_uri: str) -> SpaceId:
        names = await domain_meant(self._files, self._caller, domain_uri, self._host)
        if not names:
            raise BadData(MEMBER, "objects lie in the domain of a space, none in the root domain")
        return SpaceId(names[0])


@frozen(eq=False)
class Posts:
    """POST of everything that has no handler of its own.

    Args:
        makers: by the media type that is sent; what has none of CDMI's is the content of a data object.
    """

    _files: FileService
    _locator: Locator
    _makers: Mapping[Kind, Maker]

    async def post(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST.

        Raises:
            OtherKind, Redirected: as ``check_form``.
            HttpError: 405 for data objects.
            NotSupported: a media type of which POST makes nothing.
        """
        place = await self._place(caller, request)
        sent = request.content_type
        maker = self._makers.get((sent and sent.kind) or Kind.OBJECT)
        if maker is None:
            raise NotSupported
        return await maker.make(caller, request, place, body, length_b)

    async def _place(self, caller: Caller, request: CdmiRequest) -> Place:
        address = request.address
        if address.branch is Branch.OBJECT_IDS:
            return WithoutName(self._files, caller, request.host)
        target = await self._locator.target(caller, address)
        stat = await self._locator.existing(caller, address, target)
        if not stat.is_directory:
            raise HttpError(405, {b"Allow": allowed_methods(address)})
        return InContainer(self._files, caller, stat)

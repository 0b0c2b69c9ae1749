"""One entry for each method: which part of CDMI answers a request."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_worker.http.errors import HttpError
from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, BadVersion, Errno, NotFound, Posix, PreconditionNotMet
from op_worker.auth.caller import Caller
from op_worker.domains.service import Domains
from op_worker.files.model import Target
from op_worker.files.rules.offer import Offer
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ANY
from op_worker.http.cdmi.answers import NO_CONTENT, NOT_ACCEPTABLE, AnyAnswer, representation
from op_worker.http.cdmi.capabilities import tree as capabilities
from op_worker.http.cdmi.containers.containers import Containers
from op_worker.http.cdmi.containers.snapshots import ContainerSnapshots
from op_worker.http.cdmi.domains.branch import DomainBranch
from op_worker.http.cdmi.handlers import BranchHandler, KindHandler
from op_worker.http.cdmi.locating import Locator, OtherKind, refuse_unserved
from op_worker.http.cdmi.objects.reads import ObjectReads
from op_worker.http.cdmi.objects.writes import ObjectWrites
from op_worker.http.cdmi.posts import Posts
from op_worker.http.cdmi.queues.queues import Queues
from op_worker.http.cdmi.refusals import Redirected, Referred, Refused
from op_worker.http.cdmi.relocations.relocations import Relocations
from op_worker.http.cdmi.representations.representation import render
from op_worker.http.cdmi.requests.addresses import Address, Branch, path_text
from op_worker.http.cdmi.requests.methods import allowed_methods
from op_worker.http.cdmi.requests.negotiation import SUPPORTED_VERSIONS, Kind
from op_worker.http.cdmi.requests.request import CdmiRequest, accepts_kind, write_condition
from op_worker.http.cdmi.serialization.deserializing import Deserializing
from op_worker.http.cdmi.serialization.serializing import Serializing
from op_worker.http.conditions import NO_CONDITIONS
from op_worker.queue_services.service import QueueServices
from op_worker.snapshots.service import Snapshots


class Operations:
    """CDMI over the file service, without HTTP's wire side.

    A branch of the tree, a kind that no slash tells and a media type that POST makes something of have a
    handler each, in the tables ``_branches``, ``_kinds`` and the makers of ``Posts``. Everything else is a
    container or a data object.

    Args:
        json_limit_b: the longest JSON body of a request, without the value of a data object.
        spools: where bodies wait.
    """

    def __init__(
        self,
        files: FileService,
        snapshots: Snapshots,
        domains: Domains,
        services: QueueServices,
        json_limit_b: int,
        spools: Spools,
    ) -> None:
        locator = Locator(files)
        relocations = Relocations(files, locator)
        self._files, self._locator = files, locator
        self._reads = ObjectReads(files, locator)
        serializing, deserializing = Serializing(files, locator), Deserializing(files, locator)
        self._writes = ObjectWrites(
            files, locator, relocations, serializing, deserializing, json_limit_b, spools
        )
        self._containers = Containers(
            files, locator, relocations, deserializing, ContainerSnapshots(snapshots), json_limit_b
        )
        self._branches: Mapping[Branch, BranchHandler] = {Branch.DOMAINS: DomainBranch(domains)}
        queues = Queues(files, locator, services, deserializing, json_limit_b, spools)
        self._kinds: Mapping[Kind, KindHandler] = {Kind.QUEUE: queues}
        self._posts = Posts(files, locator, {Kind.OBJECT: self._writes, Kind.QUEUE: queues})

    async def read(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a GET or HEAD of something other than a capability."""
        branch = self._branches.get(request.address.branch)
        if branch is not None:
            return await branch.read(caller, request)
        try:
            if request.address.is_container:
                return await self._containers.read(caller, request)
            return await self._reads.read(caller, request)
        except OtherKind as other:
            return await self._kinds[other.kind].read(caller, request, other.stat)

    async def write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a PUT; ``length_b`` is the announced length of the body.

        Raises:
            PreconditionNotMet: a condition does not hold of what is there; 404 and 304 where only the headers
                of CDMI 1.0 ask.
        """
        try:
            return await self._write(caller, request, body, length_b)
        except PreconditionNotMet:
            raise _not_met(request) from None
        except Posix as error:
            if error.errno is Errno.EEXIST and write_condition(request).none_match == ANY:
                raise _not_met(request) from None
            raise

    async def _write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        branch = self._branches.get(request.address.branch)
        if branch is not None:
            return await branch.write(caller, request, body, length_b)
        refuse_unserved(request.address)
        if request.address.has_fixed_name:
            raise BadData("path", "the name belongs to the standard")
        sent = request.content_type
        kind = self._kinds.get(sent.kind) if sent is not None and sent.kind is not None else None
        if kind is not None:
            target = await self._locator.target(caller, request.address)
            stat = await self._locator.anything(caller, target)
            return await kind.write(caller, request, stat, body, length_b)
        try:
            if request.address.is_container:
                return await self._containers.write(caller, request, body)
            return await self._writes.write(caller, request, body, length_b)
        except OtherKind as other:
            return await self._kinds[other.kind].write(caller, request, other.stat, body, length_b)

    async def post(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST; ``length_b`` is the announced length of the body."""
        branch = self._branches.get(request.address.branch)
        if branch is not None:
            return await branch.post(caller, request, body, length_b)
        refuse_unserved(request.address)
        try:
            return await self._posts.post(caller, request, body, length_b)
        except OtherKind as other:
            return await self._kinds[other.kind].post(caller, request, other.stat, body, length_b)

    async def delete(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a DELETE."""
        branch = self._branches.get(request.address.branch)
        if branch is not None:
            return await branch.delete(caller, request)
        try:
            if request.address.is_container:
                return await self._containers.delete(caller, request)
            return await self._reads.delete(caller, request)
        except OtherKind as other:
            return await self._kinds[other.kind].delete(caller, request, other.stat)
        except Referred as reference:
            await self._files.remove(caller, Target(reference.guid), write_condition(request, of_state=True))
            return NO_CONTENT


def _not_met(request: CdmiRequest) -> Exception:
    """Return the refusal of a PUT whose condition does not hold."""
    if request.conditions is NO_CONDITIONS and request.no_clobber:
        return HttpError(304)
    if request.conditions is NO_CONDITIONS and request.must_exist:
        return Refused(404, Posix(Errno.ENOENT))
    return PreconditionNotMet()


def is_capability(address: Address) -> bool:
    """Whether an address lies among the capability objects, which need no credentials."""
    if address.branch is Branch.OBJECT_ID:
        return not address.names and capabilities.capability_with_id(address.object_id or "") is not None
    return address.branch is Branch.CAPABILITIES


def read_capability(request: CdmiRequest, root_container_id: str | None, offer: Offer) -> AnyAnswer:
    """Answer a GET of a capability object.

    Args:
        root_container_id: of the caller, when he said who he is.

    Raises:
        BadVersion: a request without a version.
        NotFound: there is no such capability object.
        Redirected: the slash is missing.
    """
    address = request.address
    if address.branch is Branch.OBJECT_ID:
        capability = capabilities.capability_with_id(address.object_id or "")
    else:
        capability = capabilities.capability_at(address.names)
    if capability is None:
        raise NotFound
    if not address.is_container:
        raise Redirected(path_text(("cdmi_capabilities", *capability.names)) + "/")
    if request.version is None:
        raise BadVersion(list(SUPPORTED_VERSIONS))
    if not accepts_kind(request, Kind.CAPABILITY):
        return NOT_ACCEPTABLE
    members = capabilities.members(capability, request.query, root_container_id, offer)
    return representation(Kind.CAPABILITY, render(members))


def refuse_method(request: CdmiRequest) -> None:
    """Raise HttpError(405) for what neither capability objects nor the place of new IDs can do."""
    address = request.address
    if not is_capability(address) and address.branch is not Branch.OBJECT_IDS:
        return
    allowed = methods_of(address)
    if request.method.encode() not in allowed.split(b", "):
        raise HttpError(405, {b"Allow": allowed})


def methods_of(address: Address) -> bytes:
    """Return the value of ``Allow`` for an address."""
    return allowed_methods(Address(Branch.CAPABILITIES) if is_capability(address) else address)

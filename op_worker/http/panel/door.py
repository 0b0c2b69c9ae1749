"""The admin door, ``/api/v3/onepanel``: registration, storages, supports, background jobs, checks."""

from __future__ import annotations

from collections.abc import Callable, Collection

from klein import Klein

from cluster_worker.http.answers import send_json
from cluster_worker.http.bodies import read_json_object
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.jobs.service import Jobs
from onedata.errors import NotFound
from onedata.ids import SpaceId
from op_worker.http.panel.bodies import registration_request, storage_requests, support_request
from op_worker.http.panel.checks import ChecksPanel
from op_worker.http.panel.guard import PanelGuard
from op_worker.http.panel.jobs import JobsPanel
from op_worker.http.panel.placements import PlacementsPanel
from op_worker.storage.records import StorageRecord
from op_worker.zone.administration import ProviderAdministration
from op_worker.zone.registration import Registration


class PanelDoor:
    """Thin: admits, reads the body, calls the administration, answers in JSON.

    Attributes:
        resource: to be mounted at ``/api/v3/onepanel``.
    """

    app = Klein()

    def __init__(
        self,
        administration: ProviderAdministration,
        jobs: Jobs,
        guard: PanelGuard,
        supported: Callable[[], Collection[SpaceId]],
        placements: PlacementsPanel,
    ) -> None:
        self._administration, self._jobs = administration, JobsPanel(jobs)
        self._guard, self._placements = guard, placements
        self._checks = ChecksPanel(jobs, supported)
        self.resource = door_resource(self.app, self)

    @app.route("/provider", methods=["POST"])
    async def register(self, request: StreamingRequest) -> None:
        self._guard.admit(request)
        wanted = registration_request(await read_json_object(request))
        registration = await self._administration.register(wanted)
        send_json(request, _provider(registration), status=201)

    @app.route("/provider", methods=["GET"])
    async def get_provider(self, request: StreamingRequest) -> dict[str, object]:
        self._guard.admit(request)
        return _provider(await self._administration.registration())

    @app.route("/provider/storages", methods=["POST"])
    async def add_storages(self, request: StreamingRequest) -> dict[str, object]:
        self._guard.admit(request)
        added: dict[str, object] = {}
        for wanted in storage_requests(await read_json_object(request)):
            storage_id = await self._administration.add_storage(
                wanted.name, wanted.type, dict(wanted.arguments), wanted.storage_id
            )
            added[wanted.name] = {"id": storage_id}
        return added

    @app.route("/provider/storages", methods=["GET"])
    async def list_storages(self, request: StreamingRequest) -> dict[str, object]:
        self._guard.admit(request)
        return {"ids": [record.storage_id for record in await self._administration.storages()]}

    @app.route("/provider/storages/<storage_id>", methods=["GET"])
    async def get_storage(self, request: StreamingRequest, storage_id: str) -> dict[str, object]:
        self._guard.admit(request)
        for record in await self._administration.storages():
            if record.storage_id == storage_id:
                return _storage(record)
        raise NotFound

    @app.route("/provider/spaces", methods=["POST"])
    async def support_space(self, request: StreamingRequest) -> None:
        self._guard.admit(request)
        wanted = support_request(await read_json_object(request))
        space_id = await self._administration.support_space(wanted)
        send_json(request, {"id": space_id}, status=201)

    @app.route("/provider/spaces", methods=["GET"])
    async def list_spaces(self, request: StreamingRequest) -> dict[str, object]:
        self._guard.admit(request)
        return {"ids": await self._administration.supported_spaces()}

    @app.route("/provider/spaces/<space_id>/placement", methods=["GET"])
    async def get_placement(self, request: StreamingRequest, space_id: str) -> dict[str, object]:
        self._guard.admit(request)
        return await self._placements.get(space_id)

    @app.route("/provider/spaces/<space_id>/placement", methods=["PUT"])
    async def put_placement(self, request: StreamingRequest, space_id: str) -> dict[str, object]:
        self._guard.admit(request)
        return await self._placements.put(space_id, await read_json_object(request))

    @app.route("/provider/fsck", methods=["POST"])
    async def check_spaces(self, request: StreamingRequest) -> None:
        self._guard.admit(request)
        send_json(request, await self._checks.start(await read_json_object(request)), status=202)

    @app.route("/provider/jobs", methods=["GET"])
    async def list_jobs(self, request: StreamingRequest) -> dict[str, object]:
        self._guard.admit(request)
        return await self._jobs.list(request.query)

    @app.route("/provider/jobs/<job_id>", methods=["GET"])
    async def get_job(self, request: StreamingRequest, job_id: str) -> dict[str, object]:
        self._guard.admit(request)
        return await self._jobs.status(job_id)

    @app.route("/provider/jobs/<job_id>/audit", methods=["GET"])
    async def audit_job(self, request: StreamingRequest, job_id: str) -> dict[str, object]:
        self._guard.admit(request)
        return await self._jobs.audit(job_id, request.query)

    @app.route("/provider/jobs/<job_id>", methods=["DELETE"])
    async def cancel_job(self, request: StreamingRequest, job_id: str) -> None:
        self._guard.admit(request)
        await self._jobs.cancel(job_id)
        request.setResponseCode(202)


def _provider(registration: Registration) -> dict[str, object]:
    return {
        "id": registration.provider_id,
        "name": registration.name,
        "domain": registration.domain,
        "onezoneDomainName": registration.zone_domain,
    }


def _storage(record: StorageRecord) -> dict[str, object]:
    """Arguments may hold secrets, so only where a POSIX storage lies is told."""
    shown = {key: record.arguments[key] for key in ("mountPoint",) if key in record.arguments}
    return {"id": record.storage_id, "name": record.name, "type": record.type, **shown}

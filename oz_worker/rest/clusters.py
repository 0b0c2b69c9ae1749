"""``/clusters``: the clusters that providers form; how a provider publishes its version over REST."""

from __future__ import annotations

from onedata.errors import NotFound
from oz_worker.circles import circle_in
from oz_worker.draft import Draft
from oz_worker.providers import update_provider
from oz_worker.records import Provider
from oz_worker.registration import version_changes
from oz_worker.rest.access import admin, any_subject, either, holds, member, self_provider
from oz_worker.rest.routes import Call, Done, Ok, Reply, route
from oz_worker.store import ZoneStore
from oz_worker.views import cluster_view

_CLUSTER = "cluster.{cid}.instance:private"


class Clusters:
    """Clusters have the id of their provider."""

    def __init__(self, store: ZoneStore) -> None:
        self._store = store

    @route("GET", "/clusters", "cluster.null.list:private", either(admin("oz_clusters_list"), any_subject))
    async def list_all(self, call: Call) -> Reply:
        if call.asker.is_admin(call.state, "oz_clusters_list"):
            return Ok({"clusters": sorted(call.state.providers)})
        own = call.state.effective("user", call.asker.user_id or "", "provider")
        return Ok({"clusters": sorted(own | {p for p in (call.asker.provider_id,) if p})})

    @route(
        "GET",
        "/clusters/<cid>",
        _CLUSTER,
        either(member("provider", "cid"), self_provider("cid"), admin("oz_clusters_view")),
    )
    async def show(self, call: Call) -> Reply:
        provider = circle_in(call.state, "provider", call["cid"])
        if not isinstance(provider, Provider):
            raise NotFound()
        return Ok(cluster_view(provider))

    @route(
        "PATCH",
        "/clusters/<cid>",
        _CLUSTER,
        either(holds("provider", "cid", "cluster_update"), self_provider("cid"), admin("oz_clusters_update")),
    )
    async def update(self, call: Call) -> Reply:
        body = await call.body()
        body.require_any("workerVersion", "onepanelVersion", "onepanelProxy")

        def decide(draft: Draft) -> None:
            changes = version_changes(draft.provider(call["cid"]), body)
            update_provider(draft, call["cid"], changes)

        await self._store.change(decide)
        return Done()

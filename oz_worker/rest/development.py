"""Set-up with chosen ids and no questions asked, for test environments; mounted only in ``dev_mode``."""

from __future__ import annotations

from onedata.privileges import GROUP_ADMIN, GROUP_MEMBER, SPACE_ADMIN, SPACE_MEMBER
from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.circles import Seat, add_member, change_privileges
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.groups import create_group
from oz_worker.passwords import Passwords
from oz_worker.records import Group, Space, User
from oz_worker.registration import Registration
from oz_worker.rest.access import anyone
from oz_worker.rest.routes import Call, Done, Ok, Reply, route
from oz_worker.spaces import create_space
from oz_worker.store import ZoneStore
from oz_worker.users import create_user
from oz_worker.values import Body

_DEV = "zone.null.development:private"


class Development:
    """Everybody who reaches these routes may do everything with them."""

    def __init__(
        self, store: ZoneStore, fresh: Fresh, passwords: Passwords, registration: Registration
    ) -> None:
        self._store, self._fresh = store, fresh
        self._passwords, self._registration = passwords, registration

    @route("POST", "/dev/users", _DEV, anyone)
    async def create_user(self, call: Call) -> Reply:
        body = await call.body()
        user_id = body.entity_id("userId")
        user = User(
            id=user_id,
            created_s=self._fresh.now_s(),
            temporary=self._fresh.temporary_secret(),
            username=body.username() if "username" in body else None,
            full_name=body.text("fullName", limit=128) if "fullName" in body else user_id,
            emails=(f"{user_id}@gmail.com",),
            password_hash=await self._passwords.hash(body.text("password", limit=1024)),
            basic_auth_enabled=True,
        )
        await self._store.change(lambda draft: create_user(draft, user))
        return Done()

    @route("POST", "/dev/groups", _DEV, anyone)
    async def create_group(self, call: Call) -> Reply:
        body = await call.body()
        group_id = body.entity_id("groupId")
        creator, users, groups = _members(body)
        group = Group(
            id=group_id,
            created_s=self._fresh.now_s(),
            name=body.text("name", limit=128) if "name" in body else group_id,
            creator=Subject(SubjectKind.USER, creator),
        )

        def decide(draft: Draft) -> None:
            create_group(draft, group)
            add_member(draft, Seat("group", group_id, "user", creator), GROUP_ADMIN)
            for user_id in users:
                add_member(draft, Seat("group", group_id, "user", user_id), GROUP_MEMBER)
            for child_id in groups:
                add_member(draft, Seat("group", group_id, "group", child_id), GROUP_MEMBER)

        await self._store.change(decide)
        return Done()

    @route("POST", "/dev/spaces", _DEV, anyone)
    async def create_space(self, call: Call) -> Reply:
        body = await call.body()
        space_id = body.entity_id("spaceId")
        creator, users, groups = _members(body)
        space = Space(
            id=space_id,
            created_s=self._fresh.now_s(),
            name=body.text("name", limit=128) if "name" in body else space_id,
            creator=Subject(SubjectKind.USER, creator),
        )

        def decide(draft: Draft) -> None:
            create_space(draft, space)
            add_member(draft, Seat("space", space_id, "user", creator), SPACE_ADMIN)
            for user_id in users:
                add_member(draft, Seat("space", space_id, "user", user_id), SPACE_MEMBER)
            for group_id in groups:
                add_member(draft, Seat("space", space_id, "group", group_id), SPACE_MEMBER)

        await self._store.change(decide)
        return Done()

    @route("POST", "/dev/users/<uid>/space_admin", _DEV, anyone)
    async def make_space_admin(self, call: Call) -> Reply:
        seat = Seat("space", (await call.body()).entity_id("spaceId"), "user", call["uid"])

        def decide(draft: Draft) -> None:
            if seat.member_id in draft.space(seat.circle_id).users:
                change_privileges(draft, seat, SPACE_ADMIN, ())
            else:
                add_member(draft, seat, SPACE_ADMIN)

        await self._store.change(decide)
        return Done()

    @route("POST", "/providers/dev", _DEV, anyone)
    async def register_provider(self, call: Call) -> Reply:
        body = await call.body()
        registered = await self._registration.register(body, call.asker, body.entity_id("uuid"))
        return Ok(registered.to_json())


def _members(body: Body) -> tuple[str, list[str], list[str]]:
    creator = body.entity_id("creatorId")
    users = body.strings("users") if "users" in body else []
    groups = body.strings("groups") if "groups" in body else []
    return creator, [u for u in dict.fromkeys(users) if u != creator], list(dict.fromkeys(groups))

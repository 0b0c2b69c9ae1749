"""What guests see through a share, and what members do with shares, over every engine and storage."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Key, Scope
from onedata.errors import (
    Errno,
    Forbidden,
    LimitReached,
    NotFound,
    Posix,
    ShareExpired,
    SharePasswordRequired,
    SpaceNotSupportedBy,
    Unauthorized,
)
from onedata.ids import FileGuid, FileUuid, ShareId, trash_uuid, user_root_guid
from onedata.tokens.data_caveats import DataReadonlyCaveat
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import (
    NAMES,
    CreateOptions,
    Existing,
    FileStat,
    FileType,
    Follow,
    MetadataChange,
    Target,
)
from op_worker.files.operations import ON_DIRECTORIES, Operation
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import KEPT_S, MOST_OF_A_FILE, SHARES, Share, share_key
from tests.support.spaces import (
    OWNER,
    ROOT,
    SPACE,
    UNSUPPORTED,
    Site,
    alice,
    body,
    owner,
    path,
    read,
    stranger,
)

UPDATE = CreateOptions(existing=Existing.UPDATE)
NEW = CreateOptions()
GUEST = Caller.guest()


async def refused(errno: Errno, work: Awaitable[object]) -> None:
    """Demand that work fails with this errno."""
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno


async def put(files: FileService, text: str, data: bytes = b"x") -> FileGuid:
    """Make or replace a file, with the directories that lead to it."""
    create = CreateOptions(existing=Existing.UPDATE, create_parents=True)
    stat, _ = await files.replace_content(owner, path(text), body(data), expected_b=len(data), create=create)
    return stat.guid


async def share_of(files: FileService, text: str, **terms: object) -> Share:
    """Share what is at a path."""
    guid = (await files.stat(owner, path(text))).guid
    return await files.sharing.add(owner, guid, Terms(name="Share", **terms))  # type: ignore[arg-type]


def seen(share: Share, *names: str) -> Target:
    """A file by names below the top of a share."""
    return Target(share.root_guid, names)


def spliced(guid: FileGuid, share: Share) -> Target:
    """Any file of the space with the share's id in its own."""
    return Target(evolve(guid, share_id=share.share_id))


async def guest_stat(files: FileService, target: Target) -> FileStat:
    return await files.stat(GUEST, target)


@ensureDeferred
async def test_a_guest_lists_stats_and_reads_what_is_shared(files: FileService) -> None:
    await put(files, "pub/sub/f", b"content")
    await files.metadata.change(owner, path("pub/sub/f"), MetadataChange(set_xattrs={"k": 1}, rdf=b"<r/>"))
    share = await share_of(files, "pub")
    page = await files.list_children(GUEST, seen(share), limit=10)
    assert [stat.name for stat in page.items] == ["sub"]
    assert await read(files, seen(share, "sub", "f"), GUEST) == b"content"
    found = (await guest_stat(files, seen(share, "sub", "f"))).guid
    assert found.share_id == share.share_id
    assert await read(files, Target(found), GUEST) == b"content"
    assert await files.metadata.xattrs(GUEST, Target(found)) == {"k": 1}
    assert await files.metadata.rdf(GUEST, Target(found)) == b"<r/>"


@ensureDeferred
async def test_guests_are_not_shown_whose_a_file_is_nor_where(files: FileService) -> None:
    await put(files, "a/b/pub/f")
    share = await share_of(files, "a/b/pub")
    top = await guest_stat(files, seen(share))
    assert (top.parent, top.name, top.path, top.space_name) == (None, "pub", ("pub",), "")
    assert (top.owner, top.provider_id, top.display_uid, top.display_gid) == (
        *("unknown", "unknown"),
        *(2147483646, 2147483646),
    )
    assert (top.mode, top.shares) == (0o005, (share.share_id,))
    (below,) = (await files.list_children(GUEST, seen(share), limit=10)).items
    assert (below.parent, below.path, below.mode, below.shares) == (top.guid, ("pub", "f"), 0o004, ())
    reader = await files.open_content(GUEST, Target(below.guid))
    await reader.close()
    assert reader.stat == below == await guest_stat(files, Target(below.guid))


@ensureDeferred
async def test_everything_below_is_listed_with_the_same_mask(files: FileService) -> None:
    await put(files, "a/pub/sub/f")
    await put(files, "a/secret")
    await files.create_symlink(owner, path("a/pub/out"), CreateOptions(symlink_target="../secret"))
    share = await share_of(files, "a/pub")
    page = await files.list_recursive(GUEST, seen(share), limit=9, include_directories=True)
    assert [text for text, _ in page.items] == ["out", "sub", "sub/f"]
    for text, stat in page.items:
        assert (stat.owner, stat.guid.share_id, stat.mode & 0o770) == ("unknown", share.share_id, 0)
        assert stat.path == ("pub", *text.split("/"))
    (alone,) = (await files.list_recursive(GUEST, seen(share, "sub", "f"), limit=9)).items
    assert alone[1] == page.items[2][1]
    (child,) = (await files.list_children(GUEST, seen(share, "sub", "f"), limit=9)).items
    assert child == alone[1]


@ensureDeferred
async def test_only_the_share_one_comes_through_is_shown(files: FileService) -> None:
    guid = await put(files, "f")
    one, two = await share_of(files, "f"), await share_of(files, "f")
    assert (await files.stat(owner, Target(guid))).shares == (one.share_id, two.share_id)
    assert (await guest_stat(files, seen(two))).shares == (two.share_id,)


@ensureDeferred
async def test_inherited_metadata_stops_at_the_top_of_the_share(files: FileService) -> None:
    await put(files, "a/pub/f")
    for text, value in (("", {"secret": 1}), ("a", {"secret": 2}), ("a/pub", {"open": 3})):
        await files.metadata.change(owner, path(text), MetadataChange(set_xattrs=value, json=dict(value)))
    share = await share_of(files, "a/pub")
    assert await files.metadata.xattrs(GUEST, seen(share, "f"), inherited=True) == {"open": 3}
    assert await files.metadata.json(GUEST, seen(share, "f"), inherited=True) == {"open": 3}


@ensureDeferred
async def test_ids_of_files_outside_lead_nowhere_with_the_id_of_the_share(files: FileService) -> None:
    outside, above = await put(files, "a/secret"), (await files.stat(owner, path("a"))).guid
    await put(files, "a/pub/f")
    share = await share_of(files, "a/pub")
    gone = FileGuid(FileUuid("e" * 32), SPACE)
    for guid in (outside, above, ROOT, gone, FileGuid(trash_uuid(SPACE), SPACE)):
        await refused(Errno.ENOENT, guest_stat(files, spliced(guid, share)))
        await refused(Errno.ENOENT, files.list_children(GUEST, spliced(guid, share), limit=10))
        await refused(Errno.ENOENT, files.open_content(GUEST, spliced(guid, share)))
        await refused(Errno.ENOENT, files.metadata.xattrs(GUEST, spliced(guid, share)))
    missing = Target(spliced(above, share).base, ("nothing",))
    await refused(Errno.ENOENT, guest_stat(files, missing))


@ensureDeferred
async def test_names_never_lead_up(files: FileService) -> None:
    await put(files, "a/secret")
    await put(files, "a/pub/f")
    share = await share_of(files, "a/pub")
    for names in (("..", "secret"), ("f", "..", "..", "secret"), (".", "..")):
        await refused(Errno.EINVAL, guest_stat(files, seen(share, *names)))


@ensureDeferred
async def test_links_that_lead_outside_are_not_followed(files: FileService) -> None:
    await put(files, "a/secret/deep")
    await put(files, "a/pub/f", b"inside")
    share = await share_of(files, "a/pub")
    targets = {
        "up": "../secret/deep",
        "absolute": f"<__onedata_space_id:{SPACE}>/a/secret/deep",
        "directory": "../secret",
        "to-nothing": "../nothing",
        "root": "/etc/passwd",
        "out-and-back": f"<__onedata_space_id:{SPACE}>/a/back",
        "inside": "f",
        "inside-absolute": f"<__onedata_space_id:{SPACE}>/a/pub/f",
    }
    for name, target in targets.items():
        await files.create_symlink(owner, path(f"a/pub/{name}"), CreateOptions(symlink_target=target))
    await files.create_symlink(owner, path("a/back"), CreateOptions(symlink_target="pub/f"))
    for name in targets:
        if name.startswith("inside"):
            assert await read(files, seen(share, name), GUEST) == b"inside"
            continue
        await refused(Errno.ENOENT, files.open_content(GUEST, seen(share, name)))
        await refused(Errno.ENOENT, files.stat(GUEST, seen(share, name), Follow.YES))
        assert (await guest_stat(files, seen(share, name))).type is FileType.SYMLNK
    await refused(Errno.ENOENT, files.open_content(GUEST, seen(share, "directory", "deep")))
    await refused(Errno.ENOENT, guest_stat(files, seen(share, "directory", "nothing")))


@ensureDeferred
async def test_moving_out_closes_and_moving_in_opens(files: FileService) -> None:
    inside, outside = await put(files, "pub/inside"), await put(files, "outside")
    share = await share_of(files, "pub")
    await guest_stat(files, spliced(inside, share))
    await files.move(owner, path("pub/inside"), path("moved"))
    await files.move(owner, path("outside"), path("pub/outside"))
    await refused(Errno.ENOENT, guest_stat(files, spliced(inside, share)))
    assert (await guest_stat(files, spliced(outside, share))).name == "outside"
    await files.move(owner, path("pub"), path("elsewhere"))
    assert (await guest_stat(files, seen(share))).name == "elsewhere"


@ensureDeferred
async def test_a_share_is_of_one_name_of_a_file(files: FileService) -> None:
    first = await put(files, "a/f")
    await files.create_directory(owner, path("pub"), NEW)
    link = await files.create_link(owner, path("pub/link"), first, NEW)
    share = await files.sharing.add(owner, link.guid, Terms(name="Share"))
    assert (await files.stat(owner, Target(first))).shares == (share.share_id,)
    shown = await guest_stat(files, seen(share))
    assert (shown.name, shown.parent, shown.guid.uuid) == ("link", None, link.guid.uuid)
    await refused(Errno.ENOENT, guest_stat(files, spliced(first, share)))
    await files.remove(owner, Target(first))
    assert await read(files, seen(share), GUEST) == b"x"
    await files.sharing.remove(owner, share.share_id)
    assert (await files.stat(owner, Target(link.guid))).shares == ()


@ensureDeferred
async def test_hard_links_inside_a_share_are_read_and_others_are_not(files: FileService) -> None:
    first = await put(files, "secret/f", b"content")
    await put(files, "pub/g")
    link = await files.create_link(owner, path("pub/link"), first, NEW)
    other = await files.create_link(owner, path("secret/other"), first, NEW)
    share = await share_of(files, "pub")
    page = await files.list_children(GUEST, seen(share), limit=5)
    assert [stat.guid for stat in page.items if stat.name == "link"] == [spliced(link.guid, share).base]
    assert await read(files, spliced(link.guid, share), GUEST) == b"content"
    for guid in (first, other.guid):
        await refused(Errno.ENOENT, files.open_content(GUEST, spliced(guid, share)))


@ensureDeferred
async def test_only_the_bits_of_others_count_and_changes_take_effect_at_once(files: FileService) -> None:
    await put(files, "pub/d/f")
    share = await share_of(files, "pub")
    for mode in (0o660, 0o770, 0o773):
        await files.set_mode(owner, path("pub/d/f"), mode)
        await refused(Errno.EACCES, files.open_content(GUEST, seen(share, "d", "f")))
    await files.set_mode(owner, path("pub/d/f"), 0o004)
    assert await read(files, seen(share, "d", "f"), GUEST) == b"x"
    await files.set_mode(owner, path("pub/d"), 0o774)
    await refused(Errno.EACCES, files.open_content(GUEST, seen(share, "d", "f")))
    assert len((await files.list_children(GUEST, seen(share, "d"), limit=5, shown=NAMES)).items) == 1
    await files.set_mode(owner, path("pub/d"), 0o771)
    await refused(Errno.EACCES, files.list_children(GUEST, seen(share, "d"), limit=5))
    assert await read(files, seen(share, "d", "f"), GUEST) == b"x"


@ensureDeferred
async def test_lists_decide_for_guests_and_changes_take_effect_at_once(files: FileService) -> None:
    await put(files, "pub/f")
    share = await share_of(files, "pub")
    file, reading = seen(share, "f"), int(Operation.READ_OBJECT)
    for who, is_open in (("ANONYMOUS@", True), ("EVERYONE@", True), ("OWNER@", False), ("GROUP@", False)):
        await files.acls.set(owner, path("pub/f"), (Ace(AceKind.ALLOW, who, 0, reading),))
        if is_open:
            assert await read(files, file, GUEST) == b"x"
        else:
            await refused(Errno.EACCES, files.open_content(GUEST, file))
    closed = Ace(AceKind.DENY, "ANONYMOUS@", 0, reading)
    await files.acls.set(owner, path("pub/f"), (closed, Ace(AceKind.ALLOW, "EVERYONE@", 0, reading)))
    await refused(Errno.EACCES, files.open_content(GUEST, file))
    await refused(Errno.EPERM, files.acls.set(GUEST, file, ()))
    await refused(Errno.EPERM, files.acls.get(GUEST, file))
    assert (await guest_stat(files, file)).acl == ()
    assert "cdmi_acl" not in await files.metadata.xattrs(GUEST, seen(share), internal=True)
    everything = Ace(AceKind.ALLOW, "EVERYONE@", 0, 0x1F01FF & int(ON_DIRECTORIES))
    await files.acls.set(owner, path("pub"), (everything,))
    await refused(Errno.EPERM, files.create_file(GUEST, seen(share, "new"), NEW))
    await refused(Errno.EPERM, files.remove(GUEST, file))


@ensureDeferred
async def test_directories_above_the_share_need_not_be_passable(files: FileService) -> None:
    await put(files, "closed/pub/f")
    share = await share_of(files, "closed/pub")
    await files.set_mode(owner, path("closed"), 0o700)
    assert await read(files, seen(share, "f"), GUEST) == b"x"


@ensureDeferred
async def test_guests_change_nothing(files: FileService) -> None:
    await put(files, "pub/f")
    await put(files, "g")
    for text in ("pub", "pub/f"):
        await files.set_mode(owner, path(text), 0o777)
    share = await share_of(files, "pub")
    file, new = seen(share, "f"), seen(share, "new")
    link = CreateOptions(symlink_target="f")
    await refused(Errno.EPERM, files.create_file(GUEST, new, NEW))
    await refused(Errno.EPERM, files.create_directory(GUEST, new, NEW))
    await refused(Errno.EPERM, files.create_symlink(GUEST, new, link))
    await refused(Errno.EPERM, files.replace_content(GUEST, new, body(b"1"), expected_b=1, create=NEW))
    await refused(Errno.EPERM, files.replace_content(GUEST, file, body(b"1"), expected_b=1))
    await refused(Errno.EPERM, files.write_content(GUEST, file, 0, body(b"1"), expected_b=1))
    await refused(Errno.EPERM, files.truncate(GUEST, file, 0))
    await refused(Errno.EPERM, files.set_mode(GUEST, file, 0o777))
    await refused(Errno.EPERM, files.set_times(GUEST, file, 1.0, 1.0))
    await refused(Errno.EPERM, files.metadata.change(GUEST, file, MetadataChange(set_xattrs={"a": 1})))
    await refused(Errno.EPERM, files.move(GUEST, file, seen(share, "moved")))
    with pytest.raises(Unauthorized):
        await files.copy(GUEST, file, seen(share, "copy"))
    await refused(Errno.EPERM, files.move(GUEST, file, file))
    await refused(Errno.EPERM, files.create_link(GUEST, new, file.base, NEW))
    await refused(Errno.EPERM, files.remove(GUEST, file))
    await refused(Errno.EPERM, files.remove(GUEST, seen(share)))
    assert await read(files, path("pub/f")) == b"x"
    assert len((await files.list_children(owner, path("pub"), limit=9)).items) == 1


@ensureDeferred
async def test_guests_without_a_share_and_users_with_one_are_refused(files: FileService) -> None:
    guid = await put(files, "f")
    share = await share_of(files, "f")
    with pytest.raises(Unauthorized):
        await files.stat(GUEST, Target(guid))
    with pytest.raises(Forbidden):
        await files.stat(owner, seen(share))
    nobody = FileGuid(user_root_guid(OWNER).uuid, user_root_guid(OWNER).space_id, share.share_id)
    with pytest.raises(Forbidden):
        await files.list_children(GUEST, Target(nobody), limit=5)


@ensureDeferred
async def test_a_share_opens_its_own_space_only(files: FileService) -> None:
    await put(files, "f")
    share = await share_of(files, "f")
    unknown = evolve(share.root_guid, share_id=ShareId("9" * 32))
    with pytest.raises(NotFound):
        await files.stat(GUEST, Target(unknown))
    with pytest.raises(SpaceNotSupportedBy):
        await files.stat(GUEST, Target(evolve(share.root_guid, space_id=UNSUPPORTED)))


@ensureDeferred
async def test_the_whole_space_can_be_shared(files: FileService) -> None:
    await put(files, "d/f")
    share = await share_of(files, "")
    top = await guest_stat(files, seen(share))
    assert (top.name, top.parent, top.path, top.shares) == ("Science", None, ("Science",), (share.share_id,))
    assert await read(files, seen(share, "d", "f"), GUEST) == b"x"
    await files.sharing.remove(owner, share.share_id)


@ensureDeferred
async def test_removing_the_file_leaves_a_share_that_leads_nowhere(files: FileService) -> None:
    await put(files, "pub/f")
    share, below = await share_of(files, "pub"), await share_of(files, "pub/f")
    await files.remove(owner, path("pub"))
    for one in (share, below):
        assert not await files.sharing.leads_somewhere(one)
        await refused(Errno.ENOENT, guest_stat(files, seen(one)))
        assert await files.sharing.get(alice, one.share_id) == one
        await files.sharing.remove(owner, one.share_id)
        assert await files.sharing.find(one.share_id) is None


@ensureDeferred
async def test_unsharing_takes_everything_away(files: FileService, site: Site) -> None:
    guid = await put(files, "f")
    stay, go = await share_of(files, "f"), await share_of(files, "f")
    await files.sharing.remove(owner, go.share_id)
    assert (await files.stat(owner, Target(guid))).shares == (stay.share_id,)
    with pytest.raises(NotFound):
        await guest_stat(files, seen(go))
    assert await site.engine.get_all(Scope(SPACE), share_key(go.share_id)) == {}
    assert await site.engine.lookup(Scope(SPACE), SHARES, go.share_id.encode()) is None
    with pytest.raises(NotFound):
        await files.sharing.remove(owner, go.share_id)


@ensureDeferred
async def test_only_members_with_the_privilege_manage_shares(files: FileService) -> None:
    guid = await put(files, "f")
    await refused(Errno.EPERM, files.sharing.add(alice, guid, Terms(name="Share")))
    share = await share_of(files, "f")
    await refused(Errno.EPERM, files.sharing.change(alice, share.share_id, name="Other"))
    await refused(Errno.EPERM, files.sharing.remove(alice, share.share_id))
    assert await files.sharing.get(alice, share.share_id) == share
    for work in (
        files.sharing.add(stranger, guid, Terms(name="Share")),
        files.sharing.get(stranger, share.share_id),
        files.sharing.change(stranger, share.share_id, name="Other"),
        files.sharing.remove(stranger, share.share_id),
        files.sharing.page(stranger, SPACE, 10, None),
    ):
        with pytest.raises(Forbidden):
            await work


@ensureDeferred
async def test_tokens_confined_to_data_manage_no_shares(files: FileService) -> None:
    share = await share_of(files, "")
    limits = DataLimits(readonly=True, paths=(), object_ids=())
    limited = Caller(OWNER, limits, caveats=(DataReadonlyCaveat(),))
    for work in (
        files.sharing.add(limited, ROOT, Terms(name="Share")),
        files.sharing.get(limited, share.share_id),
        files.sharing.page(limited, SPACE, 10, None),
        files.sharing.remove(limited, share.share_id),
    ):
        with pytest.raises(Unauthorized) as caught:
            await work
        assert caught.value.to_json()["details"] == {
            "authError": {
                "id": "tokenCaveatUnverified",
                "description": caught.value.auth_error.description,  # type: ignore[union-attr]  # it is there
                "details": {"caveat": {"type": "data.readonly"}},
            }
        }
    await files.sharing.remove(owner, share.share_id)


@ensureDeferred
async def test_links_the_trash_and_what_is_shared_already_are_not_shared(files: FileService) -> None:
    await put(files, "f")
    share = await share_of(files, "f")
    await refused(Errno.EPERM, files.sharing.add(owner, share.root_guid, Terms(name="Again")))
    await files.create_symlink(owner, path("l"), CreateOptions(symlink_target="f"))
    await refused(Errno.EINVAL, share_of(files, "l"))
    trash = FileGuid(trash_uuid(SPACE), SPACE)
    await refused(Errno.ENOENT, files.sharing.add(owner, trash, Terms(name="Trash")))
    await refused(Errno.EPERM, files.sharing.add(owner, user_root_guid(OWNER), Terms(name="Spaces")))


@ensureDeferred
async def test_a_file_has_a_bounded_number_of_shares(files: FileService) -> None:
    await put(files, "f")
    for _ in range(MOST_OF_A_FILE):
        await share_of(files, "f")
    with pytest.raises(LimitReached):
        await share_of(files, "f")
    assert len((await files.stat(owner, path("f"))).shares) == MOST_OF_A_FILE


@ensureDeferred
async def test_shares_of_a_space_are_listed_in_pages(files: FileService) -> None:
    await put(files, "f")
    made = {(await share_of(files, "f")).share_id for _ in range(5)}
    found: list[ShareId] = []
    token = None
    while True:
        page = await files.sharing.page(alice, SPACE, 2, token)
        found += [share.share_id for share in page.items]
        token = page.next_token
        if page.is_last:
            break
    assert found == sorted(set(found))
    assert made <= set(found)


@ensureDeferred
async def test_an_expired_share_is_refused_ended_and_at_last_forgotten(
    files: FileService, site: Site
) -> None:
    await put(files, "f")
    begin_s = site.now_s
    share = await share_of(files, "f", expires_s=int(begin_s) + 100)
    await guest_stat(files, seen(share))
    site.now_s = begin_s + 101
    with pytest.raises(ShareExpired):
        await guest_stat(files, seen(share))
    await files.sharing.sweep(SPACE)
    site.now_s = begin_s  # the clock jumps back: what was ended stays ended
    with pytest.raises(ShareExpired):
        await guest_stat(files, seen(share))
    await files.sharing.sweep(SPACE)
    ended_s = (await files.sharing.get(owner, share.share_id)).ended_s
    assert ended_s == pytest.approx(begin_s + 101, abs=3)
    site.now_s = begin_s + 90 + KEPT_S
    await files.sharing.sweep(SPACE)
    assert await files.sharing.find(share.share_id) is not None
    site.now_s = begin_s + 110 + KEPT_S
    await files.sharing.sweep(SPACE)
    assert await files.sharing.find(share.share_id) is None
    assert (await files.stat(owner, path("f"))).shares == ()


@ensureDeferred
async def test_its_manager_prolongs_a_share_that_has_ended(files: FileService, site: Site) -> None:
    await put(files, "f")
    share = await share_of(files, "f", expires_s=int(site.now_s) + 100)
    site.now_s += 200
    await files.sharing.sweep(SPACE)
    await files.sharing.change(owner, share.share_id, expires_s=int(site.now_s) + 100)
    await guest_stat(files, seen(share))
    changed = await files.sharing.change(owner, share.share_id, expires_s=None, name="Longer")
    assert (changed.name, changed.expires_s, changed.created_s) == ("Longer", None, share.created_s)


@ensureDeferred
async def test_a_protected_share_opens_to_the_proof_of_its_present_password(files: FileService) -> None:
    await put(files, "f")
    share = await share_of(files, "f", password_hash="hash one")
    for caller in (GUEST, Caller.guest("hash two")):
        with pytest.raises(Unauthorized) as caught:
            await files.stat(caller, seen(share))
        assert isinstance(caught.value.auth_error, SharePasswordRequired)
    knowing = Caller.guest("hash one")
    await files.stat(knowing, seen(share))
    await files.sharing.change(owner, share.share_id, password_hash="hash two")
    with pytest.raises(Unauthorized):
        await files.stat(knowing, seen(share))


@ensureDeferred
async def test_another_node_finds_a_share_by_its_id(files: FileService, site: Site) -> None:
    await put(files, "f")
    share = await share_of(files, "f", description="**bold**")
    other = await site.process("worker@other")
    assert await other.sharing.find(share.share_id) == share
    assert (share.creator, share.type) == (OWNER, FileType.REG)
    assert await other.sharing.find(ShareId("9" * 32)) is None


@ensureDeferred
async def test_moved_and_replaced_files_keep_their_shares(files: FileService) -> None:
    guid = await put(files, "f", b"one")
    share = await share_of(files, "f")
    await put(files, "f", b"two")
    await files.move(owner, path("f"), path("g"))
    await files.set_mode(owner, path("g"), 0o604)
    await files.metadata.change(owner, path("g"), MetadataChange(set_xattrs={"a": 1}))
    assert (await files.stat(owner, Target(guid))).shares == (share.share_id,)
    assert await read(files, seen(share), GUEST) == b"two"
    copy, _ = await files.copy(owner, path("g"), path("copy"))
    assert copy.shares == ()


@ensureDeferred
async def test_the_feed_tells_of_files_that_become_shared(files: FileService, site: Site) -> None:
    guid = await put(files, "f")
    before = await site.engine.last_seq(Scope(SPACE))
    share = await share_of(files, "f")
    await files.sharing.remove(owner, share.share_id)
    changes = await site.engine.changes(Scope(SPACE), before, 10)
    assert [change.key for change in changes] == [Key(guid.uuid)]

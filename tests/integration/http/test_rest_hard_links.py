"""Hard links over REST."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from onedata.ids import FileGuid, FileUuid
from tests.integration.http.rest_client import SPACE, SPACE_ROOT, RestClient

ENOENT = {"id": "posix", "errno": "enoent"}
GONE = FileGuid(FileUuid("f" * 32), SPACE).object_id()


@ensureDeferred
async def test_a_hard_link_is_made_in_a_directory_or_at_a_path(rest: RestClient) -> None:
    file_id = await rest.create("a", b"content")
    first = await rest.post(f"/data/{SPACE_ROOT}/children?name=b&type=LNK&target_file_id={file_id}")
    second = await rest.put(f"/data/{SPACE}/path/x/y/c?type=LNK&target_file_id={file_id}&create_parents=true")
    assert (first.status, second.status) == (201, 201)
    for made in (first, second):
        assert made.headers["location"].endswith(f"/data/{made.json['fileId']}")
        assert (await rest.get(f"/data/{made.json['fileId']}/content")).body == b"content"
    shown = (await rest.get(f"/data/{second.json['fileId']}")).json
    assert (shown["type"], shown["hardlinkCount"], shown["name"]) == ("REG", 3, "c")


@ensureDeferred
async def test_the_names_of_a_file_are_listed_and_compared(rest: RestClient) -> None:
    file_id = await rest.create("a", b"1")
    other_id = await rest.create("other", b"1")
    made = await rest.post(f"/data/{SPACE_ROOT}/children?name=b&type=LNK&target_file_id={file_id}")
    link_id = made.json["fileId"]
    for one in (file_id, link_id):
        assert (await rest.get(f"/data/{one}/hardlinks")).json == [file_id, link_id]
    assert (await rest.get(f"/data/{file_id}/hardlinks?limit=1")).json == [file_id]
    assert (await rest.get(f"/data/{file_id}/hardlinks/{link_id}")).status == 204
    assert (await rest.get(f"/data/{link_id}/hardlinks/{file_id}")).status == 204
    for stranger in (other_id, GONE, "zz", SPACE):
        answer = await rest.get(f"/data/{file_id}/hardlinks/{stranger}")
        assert (answer.status, answer.error) == (404, {"id": "notFound"})


@ensureDeferred
async def test_questions_about_the_names_of_what_is_gone_are_enoent(rest: RestClient) -> None:
    for path in ("hardlinks", f"hardlinks/{GONE}"):
        answer = await rest.get(f"/data/{GONE}/{path}")
        assert (answer.status, answer.error) == (400, ENOENT)
    limit = await rest.get(f"/data/{SPACE}/hardlinks?limit=0")
    assert limit.error == {"id": "badValueTooLow", "key": "limit", "limit": 1}


@ensureDeferred
async def test_what_cannot_be_linked_is_refused_with_a_reason(rest: RestClient) -> None:
    folder_id = await rest.make_directory("folder")
    file_id = await rest.create("a", b"1")
    for original, errno in ((folder_id, "eperm"), (GONE, "enoent"), (SPACE_ROOT, "eperm")):
        answer = await rest.put(f"/data/{SPACE}/path/l?type=LNK&target_file_id={original}")
        assert (answer.status, answer.error) == (400, {"id": "posix", "errno": errno})
    for options in ("", "&update_existing=true"):
        taken = await rest.put(f"/data/{SPACE}/path/a?type=LNK&target_file_id={file_id}{options}")
        assert taken.error == {"id": "posix", "errno": "eexist"}

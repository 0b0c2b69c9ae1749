"""How one logs in at Swift, and what its answers mean."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.swift.answers import (
    changed_s,
    check_removals,
    most_removals,
    page,
    refusal,
    tag,
)
from op_worker.storage.helpers.swift.identity import (
    SwiftUser,
    is_v3,
    v1_access,
    v1_headers,
    v3_access,
    v3_request,
    v3_root,
    v3_url,
)
from op_worker.storage.helpers.web.answers import Head

USER = SwiftUser("science", "anna", "anna's word")


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def head(status: int = 200, **headers: str) -> Head:
    return Head(status, "", "", {name.replace("_", "-"): value for name, value in headers.items()})


def catalogue(*endpoints: dict[str, str], kind: str = "object-store") -> bytes:
    return body({"token": {"catalog": [{"type": "identity"}, {"type": kind, "endpoints": endpoints}]}})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://k:5000/v3", True),
        ("https://k/identity/v3/", True),
        ("http://k:5000", False),
        ("http://s/auth/v1.0", False),
        ("http://v3/auth/v1.0", False),
    ],
)
def test_the_version_is_seen_in_the_path(url: str, expected: bool) -> None:
    assert is_v3(url) is expected


def test_version_one_names_account_and_user_in_one() -> None:
    assert v1_headers(USER) == {"X-Auth-User": "science:anna", "X-Auth-Key": "anna's word"}


def test_version_one_answers_with_the_account_and_a_token() -> None:
    access = v1_access(head(x_storage_url="http://s/v1/A/", x_auth_token="t"))
    assert access is not None
    assert (access.url, access.token) == ("http://s/v1/A", "t")
    assert "token" not in repr(access)
    assert v1_access(head(401, x_storage_url="http://s", x_auth_token="t")) is None
    assert v1_access(head(x_auth_token="t")) is None


def test_version_three_is_asked_for_a_token_of_the_project() -> None:
    asked = json.loads(v3_request(USER))["auth"]
    assert asked["scope"]["project"]["name"] == "science"
    assert asked["identity"]["password"]["user"]["password"] == "anna's word"
    assert v3_url("http://k/v3/") == "http://k/v3/auth/tokens"


def test_the_public_address_of_the_object_storage_is_taken_from_the_catalogue() -> None:
    found = catalogue(
        {"interface": "internal", "url": "http://in"}, {"interface": "public", "url": "http://out/"}
    )
    access = v3_access(head(201, x_subject_token="t"), found)
    assert (access.url, access.token) == ("http://out", "t")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        body({"token": []}),
        body({"token": {"catalog": [1, {"type": "object-store", "endpoints": 3}]}}),
        catalogue({"interface": "public", "url": "http://out"}, kind="volume"),
        catalogue({"interface": "admin", "url": "http://out"}),
    ],
)
def test_a_catalogue_without_object_storage_is_told(answer: bytes) -> None:
    with pytest.raises(StorageUnavailable, match="no object storage"):
        v3_access(head(201, x_subject_token="t"), answer)


def test_version_three_is_found_in_a_list_of_versions() -> None:
    versions = [
        {"id": "v2.0", "links": [{"rel": "self", "href": "http://k/v2.0/"}]},
        {"id": "v3.14", "links": [{"rel": "self", "href": "http://k/v3/"}]},
    ]
    assert v3_root(body({"versions": {"values": versions}})) == "http://k/v3/"
    assert v3_root(b"<html>") is None
    assert v3_root(body({"versions": 1})) is None


def test_a_listing_tells_objects_and_folded_prefixes() -> None:
    row = {"name": "a", "bytes": 3, "hash": "h", "last_modified": "1970-01-01T00:00:02.500000"}
    found = page(body([row, {"subdir": "b/"}]), 10)
    (one,) = found.objects
    assert (one.key, one.size_b, one.mtime_s, one.tag) == ("a", 3, 2.5, "h")
    assert (found.prefixes, found.follows) == (["b/"], "")


def test_a_full_page_is_followed_by_what_comes_after_its_last_row() -> None:
    row = {"name": "a", "bytes": 3, "last_modified": "1970-01-01T00:00:02"}
    assert page(body([{"subdir": "0/"}, row]), 2).follows == "a"
    assert page(body([row, {"subdir": "b/"}]), 2).follows == "b/"
    assert page(b"[]", 2).follows == ""


@pytest.mark.parametrize("answer", [b"", b"{}", body([1]), body([{"name": "a"}]), body([{"x": 1}])])
def test_a_listing_that_is_none_is_an_error(answer: bytes) -> None:
    with pytest.raises(StorageError) as caught:
        page(answer, 1)
    assert caught.value.errno == errno.EIO


def test_a_cluster_tells_how_many_objects_are_removed_at_once() -> None:
    assert most_removals(body({"bulk_delete": {"max_deletes_per_request": 7}})) == 7
    assert most_removals(body({"swift": {}})) == 0
    assert most_removals(b"no") == 0


def test_removals_that_found_nothing_are_counted_and_others_that_failed_are_errors() -> None:
    assert check_removals(body({"Response Status": "200 OK", "Errors": [], "Number Not Found": 2})) == 2
    assert check_removals(body({"Response Status": "404 Not Found", "Number Not Found": 2})) == 2
    with pytest.raises(StorageError) as caught:
        check_removals(body({"Response Status": "400", "Errors": [["c/k", "403 Forbidden"]]}))
    assert caught.value.errno == errno.EACCES
    with pytest.raises(StorageUnavailable):
        check_removals(body({"Response Status": "503 Service Unavailable", "Errors": []}))
    with pytest.raises(StorageError):
        check_removals(b"")


@pytest.mark.parametrize(
    ("status", "number"),
    [(401, errno.EACCES), (403, errno.EACCES), (404, errno.ENOENT), (413, errno.EDQUOT), (507, errno.ENOSPC)],
)
def test_refusals_have_the_number_that_fits(status: int, number: int) -> None:
    error = refusal(head(status), "x")
    assert error.errno == number
    assert not isinstance(error, StorageUnavailable)


@pytest.mark.parametrize("status", [409, 429, 498, 500, 502, 503, 504])
def test_what_a_cluster_may_get_over_is_told_as_passing(status: int) -> None:
    assert isinstance(refusal(head(status), "x"), StorageUnavailable)


def test_tags_and_times_are_read_from_headers_as_far_as_they_are_there() -> None:
    assert tag(head(etag='"abc"')) == tag(head(etag="abc")) == "abc"
    assert changed_s(head(x_timestamp="12.5")) == 12.5
    assert changed_s(head(x_timestamp="soon")) == changed_s(head()) == 0.0

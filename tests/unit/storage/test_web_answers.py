"""URLs, credentials and answers of storages behind HTTP servers; all of it pure."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.web.answers import (
    Extent,
    Head,
    Version,
    extent,
    failure,
    seconds,
    total_of_unsatisfied,
)
from op_worker.storage.helpers.web.credentials import authorization
from op_worker.storage.helpers.web.urls import Endpoint, is_same_origin, redirected
from op_worker.storage.types import BadStorageError

TEMPLATE = "Authorization: Bearer {}"
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.org", "http://example.org/a%20b"),
        ("https://example.org:8443/dav", "https://example.org:8443/dav/a%20b"),
        ("http://example.org/a%20%C5%BC/", "http://example.org/a%20%C5%BC/a%20b"),
    ],
)
def test_an_endpoint_is_the_root_of_paths(text: str, url: str) -> None:
    assert Endpoint.parse(text).url(StoragePath("a b")) == url


@pytest.mark.parametrize(
    "text", ["ftp://x/", "http://", "http://x/?q", "http://u@x/", "http://x:99999/", "//"]
)
def test_an_endpoint_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadStorageError, match="endpoint"):
        Endpoint.parse(text)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_a_link_to_any_path_leads_back_to_it(names: list[str]) -> None:
    endpoint, path = Endpoint.parse("http://h:1/x y/"), StoragePath("/".join(names))
    assert endpoint.path_of(endpoint.url(path, is_directory=True)) == path
    assert endpoint.path_of(endpoint.url(path).removeprefix("http://h:1")) == path


def test_links_of_other_places_lead_nowhere() -> None:
    endpoint = Endpoint.parse("http://h/x/")
    assert endpoint.path_of("/y/a") is None
    assert endpoint.path_of("/x") == endpoint.path_of("http://h/x/") == ""


def test_credentials_go_to_the_same_host_only() -> None:
    assert is_same_origin("http://h:1/a", redirected("http://h:1/a", "/b"))
    assert not is_same_origin("http://h:1/a", redirected("http://h:1/a", "http://h:2/a"))
    assert not is_same_origin("https://h/a", "http://h/a")


def test_each_type_of_credentials_has_its_header() -> None:
    basic = authorization({"credentialsType": "basic", "credentials": "u:p"}, TEMPLATE, 0)
    token = authorization({"credentialsType": "token", "credentials": "t"}, "X-Auth: key {}", 0)
    assert authorization({"credentialsType": "none"}, TEMPLATE, 0).headers(0) == {}
    assert basic.headers(0) == {"Authorization": "Basic dTpw"}
    assert token.headers(0) == {"X-Auth": "key t"}
    assert "dTpw" not in repr(basic)


def test_a_token_of_oauth_is_good_until_its_time_is_over() -> None:
    given_ = {"credentialsType": "oauth2", "accessToken": "t", "accessTokenTTL": "60"}
    asker = authorization(given_, TEMPLATE, 100.0)
    assert asker.headers(159.9) == {"Authorization": "Bearer t"}
    with pytest.raises(StorageError) as caught:
        asker.headers(160.0)
    assert caught.value.errno == errno.EKEYEXPIRED


@pytest.mark.parametrize(
    ("given_", "template"),
    [
        ({"credentialsType": "basic", "credentials": "nocolon"}, TEMPLATE),
        ({"credentialsType": "basic"}, TEMPLATE),
        ({"credentialsType": "oauth2"}, TEMPLATE),
        ({"credentialsType": "magic"}, TEMPLATE),
        ({"credentialsType": "token", "credentials": "a\r\nX: y"}, TEMPLATE),
        ({"credentialsType": "token", "credentials": "t"}, "Bearer {}"),
        ({"credentialsType": "token", "credentials": "t"}, "Authorization: x"),
    ],
)
def test_credentials_that_cannot_be_are_refused(given_: dict[str, str], template: str) -> None:
    with pytest.raises(BadStorageError):
        authorization(given_, template, 0)


@pytest.mark.parametrize(
    ("status", "number"),
    [
        (401, errno.EACCES),
        (404, errno.ENOENT),
        (405, errno.EROFS),
        (412, errno.ESTALE),
        (413, errno.EFBIG),
        (418, errno.EIO),
        (423, errno.EBUSY),
        (507, errno.ENOSPC),
        (799, errno.EIO),
    ],
)
def test_an_answer_is_an_error_in_the_words_of_the_server(status: int, number: int) -> None:
    error = failure(Head(status, "Because", "u"), "a")
    assert (error.errno, type(error)) == (number, StorageError)
    assert f"{status} Because" in str(error)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_unavailable(status: int) -> None:
    assert isinstance(failure(Head(status, "", "u"), "a"), StorageUnavailable)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 2-5/10", Extent(2, 4, 10)),
        ("bytes 5-2/10", None),
        ("bytes 2-10/10", None),
        ("bytes 0-1/*", None),
        ("lines 0-1/2", None),
        ("", None),
    ],
)
def test_a_content_range_is_read_or_of_no_use(text: str, found: Extent | None) -> None:
    assert extent(Head(206, "", "u", {"content-range": text})) == found


def test_the_size_of_a_file_is_known_when_no_part_of_it_was_asked_for() -> None:
    assert total_of_unsatisfied(Head(416, "", "u", {"content-range": "bytes */7"})) == 7
    assert total_of_unsatisfied(Head(416, "", "u")) is None


def test_strong_tags_decide_and_weak_ones_count_with_size_and_time() -> None:
    strong, weak = Version('"1"', 5, "then"), Version('W/"1"', 5, "then")
    assert strong.is_same(Version('"1"', 9, "now"))
    assert not strong.is_same(Version('"2"', 5, "then"))
    assert weak.is_same(strong)
    assert weak.is_same(Version('W/"2"', 5, "then"))
    assert not weak.is_same(Version('W/"2"', 6, "then"))
    assert not Version("", 5, "then").is_same(Version("", 5, "now"))
    assert Version("", 5, "then").is_same(Version('"1"', 5, ""))
    assert (strong.condition, weak.condition, Version().condition) == ('"1"', "*", "*")


def test_dates_of_http_are_seconds_and_nonsense_is_none() -> None:
    assert seconds("Thu, 01 Jan 1970 00:01:00 GMT") == 60
    assert seconds("yesterday") == seconds("") == 0

"""The pages of a share."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import (
    BadSharePassword,
    BadValueFilePath,
    Errno,
    Forbidden,
    InternalServerError,
    NotFound,
    OnedataError,
    Posix,
    ServiceUnavailable,
    ShareExpired,
    SharePasswordRequired,
    Unauthorized,
)
from onedata.ids import FileGuid, FileUuid, ProviderId, ShareId, SpaceId, UserId
from op_worker.files.model import FileStat, FileType
from op_worker.files.stored.share_records import Share
from op_worker.http.shares.page import (
    POLICY,
    STYLE_HASH,
    Folder,
    folder_page,
    refusal_page,
    share_url,
    shown_size,
    shown_time,
)
from op_worker.http.shares.refusals import refusal_of

SHARE = Share(
    share_id=ShareId("77"),
    space_id=SpaceId("5"),
    root=FileUuid("3"),
    type=FileType.DIR,
    name="Share",
    description="",
    creator=UserId("4"),
    created_s=0,
    expires_s=1_600_000_000,
)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "p", "nav", "a", "b", "bdi", "table"),
    *("thead", "tbody", "tr", "th", "td", "svg", "use", "symbol", "path", "footer", "span"),
}


class Reading(HTMLParser):
    """Collects tags, links and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def stat(name: str, type_: FileType = FileType.REG, size_b: int = 1, mtime_s: float = 0) -> FileStat:
    guid = FileGuid(FileUuid("3"), SpaceId("5"), ShareId("77"))
    return FileStat(
        guid=guid,
        parent=guid,
        name=name,
        path=("Share", name),
        space_name="",
        type=type_,
        mode=4,
        owner=UserId("unknown"),
        provider_id=ProviderId("unknown"),
        created_s=0,
        atime_s=0,
        mtime_s=mtime_s,
        ctime_s=0,
        size_b=size_b,
    )


def page_of(*entries: FileStat, **more: object) -> Reading:
    return Reading(folder_page(Folder(share=SHARE, entries=entries, **{"names": (), **more})))  # type: ignore[arg-type]


def test_a_directory_is_a_table_of_links_with_sizes_and_dates() -> None:
    page = page_of(
        stat("data", FileType.DIR),
        stat("a b.txt", size_b=2048, mtime_s=1_600_000_000),
        stat("l", FileType.SYMLNK),
    )
    files = [link for link in page.links if link.startswith("/share")]
    assert files == ["/share/77/data", "/share/77/a%20b.txt", "/share/77/l", "/share/77?download=tar"]
    assert {"2.0 KiB", "2020-09-13 12:26"} <= set(re.findall(r"[\d.]+ KiB|2020-[\d :-]+\d", page.text))
    assert "Shared until 2020-09-13 12:26 UTC" in page.text


def test_the_way_up_and_the_next_page_are_linked() -> None:
    page = page_of(stat("f"), names=("a", "b&c"), next_token="to/k=")
    links = [link for link in page.links if not link.startswith("#")]
    assert links == [
        *("/share/77", "/share/77/a", "/share/77/a/b%26c/f", "/share/77/a/b%26c?download=tar"),
        "/share/77/a/b%26c?after=to%2Fk%3D",
    ]


def test_an_empty_directory_says_so() -> None:
    assert "This directory is empty." in page_of().text


@given(st.text(min_size=1), st.text(), st.text(min_size=1))
def test_no_name_escapes_from_the_page(name: str, description: str, above: str) -> None:
    plain = page_of(stat("x"), names=("y",))
    share = evolve(SHARE, description=description)
    folder = Folder(share=share, names=(above,), entries=[stat(name)])
    page = Reading(folder_page(folder))
    assert set(page.tags) <= TAGS
    assert [tag for tag in page.tags if tag != "p"] == plain.tags
    assert all(link.startswith(("/share/77", "#")) for link in page.links)
    assert "\u202e" not in page.text
    assert Reading(refusal_page(name, description)).tags.count("h1") == 1


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "'&#x3c;", "a\u202etxt"]
)
def test_dangerous_names_are_shown_as_they_are(name: str) -> None:
    page = page_of(stat(name))
    assert "script" not in page.tags
    assert name.replace("\u202e", "\ufffd") in page.text


def test_nothing_runs_on_a_page_and_only_its_own_style_is_used() -> None:
    assert f"style-src 'sha256-{STYLE_HASH}'" in POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(
    ("size_b", "shown"),
    [
        *((0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1024**2 - 1, "1.0 MiB")),
        *((5 * 1024**3, "5.0 GiB"), (2**63, "8.0 EiB"), (2**80, "1048576.0 EiB")),
    ],
)
def test_sizes_are_shown_as_people_read_them(size_b: int, shown: str) -> None:
    assert shown_size(size_b) == shown


@pytest.mark.parametrize("time_s", [1e18, -1e18, 1e300])
def test_times_that_no_calendar_has_are_a_dash(time_s: float) -> None:
    assert len(shown_time(time_s)) == 1


def test_urls_quote_every_name() -> None:
    assert share_url("77", ("a/b", "ż?#")) == "/share/77/a%2Fb/%C5%BC%3F%23"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(), 404),
        (BadValueFilePath(), 404),
        (Forbidden(), 404),
        (Posix(Errno.ENOENT), 404),
        (Posix(Errno.ENOTDIR), 404),
        (Posix(Errno.EACCES, "mode 660 denies read_object"), 403),
        (Posix(Errno.EINVAL), 400),
        (Posix(Errno.EIO), 500),
        (ShareExpired(), 410),
        (Unauthorized(SharePasswordRequired()), 401),
        (Unauthorized(BadSharePassword()), 401),
        (ServiceUnavailable(), 503),
        (InternalServerError(), 500),
    ],
)
def test_each_error_has_its_status_and_tells_nothing_of_the_file(error: OnedataError, status: int) -> None:
    refusal = refusal_of(error)
    assert refusal.status == status
    assert refusal.title
    assert "660" not in refusal.sentence


def test_a_wrong_password_is_told_apart_from_none() -> None:
    needed, bad = (refusal_of(Unauthorized(error())) for error in (SharePasswordRequired, BadSharePassword))
    assert needed != bad

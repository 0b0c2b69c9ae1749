"""Where storages on NFS, GlusterFS and XRootD are, and what their libraries' words mean."""

from __future__ import annotations

import errno

import pytest

from op_worker.storage.helpers.glusterfs.translators import TranslatorOption, parse_options
from op_worker.storage.helpers.nfs.address import ExportAddress
from op_worker.storage.helpers.xrootd.address import XrootdAddress
from op_worker.storage.helpers.xrootd.codes import errno_of
from op_worker.storage.types import BadStorageError


@pytest.mark.parametrize(
    ("host", "name", "port", "mount_port"),
    [
        ("nfs.example.org", "nfs.example.org", 0, 0),
        ("10.0.0.1:2049", "10.0.0.1", 2049, 2049),
        ("10.0.0.1:2049:20048", "10.0.0.1", 2049, 20048),
        ("[fd00::1]", "fd00::1", 0, 0),
        ("[fd00::1]:2049", "fd00::1", 2049, 2049),
    ],
)
def test_an_nfs_server_is_named_with_or_without_ports(
    host: str, name: str, port: int, mount_port: int
) -> None:
    found = ExportAddress.parse(host, "/export")
    assert (found.host, found.port, found.mount_port) == (name, port, mount_port)


@pytest.mark.parametrize(
    ("host", "volume"),
    [
        ("", "/e"),
        ("a:b", "/e"),
        ("a:0", "/e"),
        ("a:70000", "/e"),
        ("a:1:2:3", "/e"),
        ("a/b", "/e"),
        ("a?version=4", "/e"),
        ("a", "e"),
        ("a", "/e;/f"),
        ("a", "/e\0"),
    ],
)
def test_what_names_no_nfs_export_is_refused(host: str, volume: str) -> None:
    with pytest.raises(BadStorageError):
        ExportAddress.parse(host, volume)


def test_options_of_translators_are_read_one_by_one() -> None:
    found = parse_options("*-client-0.ping-timeout=5; a.b.c=x=y;")
    assert found == [TranslatorOption("*-client-0", "ping-timeout", "5"), TranslatorOption("a.b", "c", "x=y")]


@pytest.mark.parametrize("text", ["a", "a=b", ".b=c", "a.=c", "a.b=", "a.b=c\0"])
def test_what_is_no_option_of_a_translator_is_refused(text: str) -> None:
    with pytest.raises(BadStorageError):
        parse_options(text)


@pytest.mark.parametrize(
    ("url", "server", "base"),
    [
        ("root://x.example.org:1094//a/b/", "root://x.example.org:1094", "/a/b"),
        ("root://x.example.org", "root://x.example.org", ""),
        ("roots://[fd00::1]:1094/", "roots://[fd00::1]:1094", ""),
    ],
)
def test_an_xrootd_url_is_a_server_and_a_base_path(url: str, server: str, base: str) -> None:
    assert XrootdAddress.parse(url) == XrootdAddress(server, base)


@pytest.mark.parametrize(
    "url", ["http://x", "root://", "root:///a", "root://x//a/../b", "root://x//a?b=c", "root://u@x"]
)
def test_what_is_no_xrootd_url_is_refused(url: str) -> None:
    with pytest.raises(BadStorageError):
        XrootdAddress.parse(url)


def test_paths_that_xrootd_requests_cannot_say_have_no_name_there() -> None:
    address = XrootdAddress.parse("root://x//base")
    assert address.path(b"/a/b c%20") == "/base/a/b c%20"
    assert [address.path(path) for path in (b"/a?b", b"/a\nb", b"/a\rb")] == [None, None, None]


@pytest.mark.parametrize(
    ("code", "number", "words", "expected"),
    [
        (400, 3011, "[3011] Unable to open /a; no such file or directory", (errno.ENOENT, False)),
        (400, 3005, "[3005] Unable to open /a/b; not a directory", (errno.ENOTDIR, False)),
        (400, 3005, "[3005] Unable to rename /a; directory not empty", (errno.ENOTEMPTY, False)),
        (400, 3005, "[3005] Unable to create /a; file path marked read/only", (errno.EROFS, False)),
        (400, 3009, "[3009] full", (errno.ENOSPC, False)),
        (400, 3999, "[3999] what is this", (errno.EIO, False)),
        (109, 0, "Invalid session", (errno.ESTALE, False)),
        (206, 0, "Operation expired", (errno.ETIMEDOUT, True)),
        (108, 0, "Connection error", (errno.ENOTCONN, True)),
        (1, 0, "", (errno.EIO, False)),
    ],
)
def test_answers_of_xrootd_become_numbers_of_posix(
    code: int, number: int, words: str, expected: tuple[int, bool]
) -> None:
    assert errno_of(code, number, words) == expected

"""Paths below the CDMI root and URIs in bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, NotSupported
from op_worker.http.cdmi.requests.addresses import Address, Branch, parse_address, path_text, source_addresses

HOST = "krk.example"


def test_root_is_a_container_with_or_without_slash() -> None:
    assert parse_address(b"/") == parse_address(b"") == Address(Branch.NAMESPACE, (), True)
    assert parse_address(b"/").is_root


def test_trailing_slash_alone_makes_a_container() -> None:
    assert parse_address(b"/Space/a") == Address(Branch.NAMESPACE, ("Space", "a"), False)
    assert parse_address(b"/Space/a/") == Address(Branch.NAMESPACE, ("Space", "a"), True)


def test_doubled_slashes_are_collapsed_everywhere() -> None:
    assert parse_address(b"//Space///a//") == parse_address(b"/Space/a/")


def test_names_are_percent_decoded_as_utf8() -> None:
    assert parse_address(b"/S/%C5%BC%20a%3Fb").names == ("S", "\u017c a?b")


@pytest.mark.parametrize(
    "path", [b"/S/a%2Fb", b"/S/%2e%2E/x", b"/S/./x", b"/S/a%00", b"/S/%ff", b"/S/%zz", b"/S/%4"]
)
def test_names_that_cannot_be_are_refused(path: bytes) -> None:
    with pytest.raises(BadData) as refusal:
        parse_address(path)
    assert refusal.value.key == "path"


def test_fixed_names_lead_to_their_branches_at_the_root_only() -> None:
    assert parse_address(b"/cdmi_objectid/AB") == Address(Branch.OBJECT_ID, (), False, "AB")
    assert parse_address(b"/cdmi_objectid/AB/r/p/") == Address(Branch.OBJECT_ID, ("r", "p"), True, "AB")
    assert parse_address(b"/cdmi_capabilities/container/") == Address(
        Branch.CAPABILITIES, ("container",), True
    )
    assert parse_address(b"/cdmi_domains/d/") == Address(Branch.DOMAINS, ("d",), True)
    assert parse_address(b"/cdmi_objectid/").branch is Branch.OBJECT_IDS
    assert parse_address(b"/S/cdmi_objectid/AB").branch is Branch.NAMESPACE


def test_reserved_prefix_of_the_last_name_is_noticed() -> None:
    assert parse_address(b"/S/cdmi_snapshots/").has_reserved_name
    assert not parse_address(b"/S/cdmi_snapshots/x/").has_reserved_name


@pytest.mark.parametrize(
    "uri",
    ["/S/x", "S/x", "/cdmi/S/x", "http://krk.example/cdmi/S/x", "https://KRK.example/cdmi/S/x", "//S//x"],
)
def test_every_form_of_a_source_path_is_understood(uri: str) -> None:
    assert source_addresses(uri, HOST)[0] == Address(Branch.NAMESPACE, ("S", "x"), False)


@pytest.mark.parametrize("uri", ["/cdmi_objectid/AB/r", "/cdmi/cdmi_objectid/AB/r", "cdmi_objectid/AB/r"])
def test_every_form_of_a_source_id_is_understood(uri: str) -> None:
    assert source_addresses(uri, HOST)[0] == Address(Branch.OBJECT_ID, ("r",), False, "AB")


def test_source_names_are_tried_literally_before_decoded() -> None:
    names = [address.names for address in source_addresses("/S/a%20b", HOST)]
    assert names == [("S", "a%20b"), ("S", "a b")]


def test_space_called_like_the_mount_point_can_still_be_meant() -> None:
    names = [address.names for address in source_addresses("/cdmi/S/x", HOST)]
    assert names == [("S", "x"), ("cdmi", "S", "x")]


def test_source_on_another_server_is_not_supported() -> None:
    with pytest.raises(NotSupported):
        source_addresses("https://elsewhere.example/cdmi/S/x", HOST)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/",
        "https://krk.example/cdmi/",
        "https://krk.example/cdmi/S/x?value",
        "/S/../x",
        "https://[/cdmi/x",
        "S/a\0",
    ],
)
def test_source_that_can_mean_nothing_is_refused(uri: str) -> None:
    with pytest.raises((BadData, NotSupported)):
        source_addresses(uri, HOST)


_NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
        lambda n: n not in (".", "..")
    ),
    max_size=4,
)


@given(_NAMES)
def test_path_text_leads_back_to_the_same_names(names: list[str]) -> None:
    names = ["S", *names]
    assert parse_address(path_text(tuple(names)).encode("ascii")).names == tuple(names)


@given(st.binary(max_size=60))
def test_any_path_is_parsed_or_refused(path: bytes) -> None:
    try:
        parse_address(path)
    except BadData:
        pass


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_source_is_parsed_or_refused(uri: str) -> None:
    try:
        assert source_addresses(uri, HOST)
    except (BadData, NotSupported):
        pass

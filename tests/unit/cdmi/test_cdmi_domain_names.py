"""Names of domains: URIs, object IDs, what a ``domainURI`` says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData
from onedata.ids import SpaceId, UserId, encode_object_id, space_root_guid, user_root_guid
from op_worker.http.cdmi.requests.domain_ids import domain_object_id, names_of_object_id
from op_worker.http.cdmi.requests.domain_names import domain_of, domain_uri, domains_named

NAMES = st.lists(st.text("abc0-_ é", min_size=1, max_size=12), max_size=5).map(tuple)


def test_spaces_are_domains_below_the_root_domain() -> None:
    assert domain_uri(domain_of(SpaceId("s1"))) == "/cdmi_domains/s1/"
    assert domain_uri(domain_of(user_root_guid(UserId("u")).space_id)) == "/cdmi_domains/"


@given(NAMES)
def test_an_object_id_of_a_domain_is_its_path(names: tuple[str, ...]) -> None:
    found = domain_object_id(names)
    assert names_of_object_id(found) == names_of_object_id(found.lower()) == names


@pytest.mark.parametrize(
    "object_id",
    [
        "",
        "zz",
        "00",
        encode_object_id(b"domain"),
        encode_object_id(b"domain#\xff"),
        space_root_guid(SpaceId("s")).object_id(),
    ],
)
def test_other_ids_are_those_of_no_domain(object_id: str) -> None:
    assert names_of_object_id(object_id) is None


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("/cdmi_domains/", ()),
        ("cdmi_domains", ()),
        ("/cdmi/cdmi_domains/a/", ("a",)),
        ("http://h/cdmi/cdmi_domains/a%20b/", ("a b",)),
        (f"/cdmi_objectid/{domain_object_id(('s',))}/", ("s",)),
    ],
)
def test_uris_of_domains_are_understood_in_every_form(uri: str, names: tuple[str, ...]) -> None:
    assert domains_named(uri, "h")[0] == names


def test_a_uri_is_taken_literally_first_and_then_decoded() -> None:
    assert domains_named("/cdmi_domains/a%20b/", "h") == (("a%20b",), ("a b",))


@pytest.mark.parametrize(
    "uri", ["", "/", "/a/", "/cdmi_domains/a/b/", "http://other/cdmi/cdmi_domains/", "/../"]
)
def test_what_names_no_domain_is_refused(uri: str) -> None:
    with pytest.raises(BadData) as refused:
        domains_named(uri, "h")
    assert refused.value.key == "domainURI"

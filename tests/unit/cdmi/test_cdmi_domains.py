"""Representations of what lies below ``cdmi_domains``."""

from __future__ import annotations

import json

from op_worker.domains.members import Member
from op_worker.domains.summaries import Summary, Usage
from op_worker.http.cdmi.domains.nodes import Node, member_value, members_of, summary_value
from op_worker.http.cdmi.requests.domain_ids import domain_object_id
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Span, parse_query

ALL = parse_query(b"")
OBJECT = Node(names=("s", "cdmi_domain_members", "u"), kind=Kind.OBJECT, value='{"a":"é"}'.encode())


def test_a_domain_is_its_own_domain_and_has_no_completion() -> None:
    node = Node(names=("s",), kind=Kind.DOMAIN, metadata={"cdmi_domain_enabled": "true"}, children=["x/"])
    found = members_of(node, ALL, Span(0, 0))
    assert list(found) == [
        "objectType",
        "objectID",
        "objectName",
        "parentURI",
        "parentID",
        "domainURI",
        "capabilitiesURI",
        "metadata",
        "childrenrange",
        "children",
    ]
    assert (found["objectName"], found["parentURI"], found["domainURI"]) == (
        "s/",
        "/cdmi_domains/",
        "/cdmi_domains/s/",
    )
    assert (found["objectID"], found["parentID"]) == (domain_object_id(("s",)), domain_object_id(()))


def test_the_root_domain_has_a_parent_without_an_id() -> None:
    found = members_of(Node(names=(), kind=Kind.DOMAIN), ALL, None)
    assert (found["objectName"], found["parentURI"]) == ("cdmi_domains/", "/")
    assert (found["domainURI"], found["childrenrange"], found["children"]) == ("/cdmi_domains/", "", [])
    assert "parentID" not in found


def test_an_object_of_a_domain_shows_its_json_as_text() -> None:
    found = members_of(OBJECT, ALL, None)
    assert list(found)[-3:] == ["valuetransferencoding", "valuerange", "value"]
    assert (found["value"], found["valuerange"]) == ('{"a":"é"}', "0-9")
    assert (found["metadata"], found["mimetype"]) == ({"cdmi_size": "10"}, "application/json")


def test_ranges_of_an_object_are_cut_and_in_base64() -> None:
    assert members_of(OBJECT, parse_query(b"value:2-2;valuerange;valuetransferencoding"), None) == {
        "valuetransferencoding": "base64",
        "valuerange": "2-2",
        "value": "YQ==",
    }
    assert members_of(OBJECT, parse_query(b"value:50-60;valuerange"), None) == {"valuerange": "", "value": ""}


def test_values_of_members_have_the_words_of_the_standard() -> None:
    user = Member(principal="u", name="U", is_enabled=False, privileges=("administrator",), groups=("g",))
    assert json.loads(member_value(user)) == {
        "cdmi_member_enabled": "false",
        "cdmi_member_type": "user",
        "cdmi_member_name": "U",
        "cdmi_member_principal": "u",
        "cdmi_member_privileges": ["administrator"],
        "cdmi_member_groups": ["g"],
    }
    group = json.loads(member_value(Member(principal="g", name="G", is_group=True)))
    assert group["cdmi_member_type"] == "group"
    assert not {"cdmi_member_privileges", "cdmi_member_groups"} & group.keys()


def test_numbers_of_summaries_are_strings_without_needless_zeros() -> None:
    summary = Summary(0, 3600, Usage(0, 2, 4 / 3, 4 / 3), Usage(10, 10, 10.0, 10.0))
    assert json.loads(summary_value(("s",), summary)) == {
        "cdmi_domainURI": "/cdmi_domains/s/",
        "cdmi_summary_start": "1970-01-01T00:00:00.000000Z",
        "cdmi_summary_end": "1970-01-01T01:00:00.000000Z",
        "cdmi_summary_objecthours": "1.333",
        "cdmi_summary_objectsmin": "0",
        "cdmi_summary_objectsmax": "2",
        "cdmi_summary_objectsaverage": "1.333",
        "cdmi_summary_bytehours": "10",
        "cdmi_summary_bytesmin": "10",
        "cdmi_summary_bytesmax": "10",
        "cdmi_summary_bytesaverage": "10",
    }

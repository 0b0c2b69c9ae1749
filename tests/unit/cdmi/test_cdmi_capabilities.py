"""The capability objects and the statuses of refusals."""

from __future__ import annotations

import pytest

from onedata.errors import BadData, Errno, MalformedData, NotFound, Posix
from op_worker.http.cdmi.capabilities.tree import (
    CONTAINER,
    DATA_OBJECT,
    QUEUE,
    ROOT,
    capability_at,
    capability_with_id,
    members,
)
from op_worker.http.cdmi.refusals import redirect_status, status_of
from op_worker.http.cdmi.requests.queries import parse_query

ZEROS = "30" * 31


def test_capability_objects_have_the_published_ids() -> None:
    assert ROOT.object_id == "0000000000208CA8" + ZEROS + "31"
    assert CONTAINER.object_id == "0000000000208DE8" + ZEROS + "32"
    assert DATA_OBJECT.object_id == "0000000000204D29" + ZEROS + "33"


def test_capability_objects_are_found_by_path_and_id() -> None:
    assert capability_at(()) is ROOT
    assert capability_at(("container",)) is CONTAINER
    assert capability_at(("queue",)) is QUEUE
    assert capability_at(("nothing",)) is None
    assert capability_with_id(DATA_OBJECT.object_id.lower()) is DATA_OBJECT


def test_capabilities_are_told_in_order() -> None:
    for capability in (ROOT, CONTAINER, DATA_OBJECT, QUEUE):
        assert list(capability.abilities) == sorted(capability.abilities)


def test_root_capability_lists_the_other_ones() -> None:
    found = members(ROOT, parse_query(b""))
    assert (found["objectName"], found["parentURI"]) == ("cdmi_capabilities/", "/")
    assert "parentID" not in found, "nobody is known whose root container it could be"
    assert members(ROOT, parse_query(b""), "0A")["parentID"] == "0A"
    assert list(found)[-2:] == ["childrenrange", "children"]
    assert {"container/", "dataobject/", "domain/"} <= set(ROOT.children)
    assert found["children"] == sorted(ROOT.children)
    assert found["childrenrange"] == f"0-{len(ROOT.children) - 1}"


def test_child_capability_names_its_parent() -> None:
    found = members(CONTAINER, parse_query(b""))
    assert (found["objectName"], found["parentURI"]) == ("container/", "cdmi_capabilities/")
    assert found["parentID"] == ROOT.object_id
    assert (found["childrenrange"], found["children"]) == ("", [])


def test_fields_and_children_of_capabilities_can_be_selected() -> None:
    assert members(ROOT, parse_query(b"children:1-1;childrenrange")) == {
        "childrenrange": "1-1",
        "children": ["dataobject/"],
    }
    with pytest.raises(BadData):
        members(ROOT, parse_query(b"children:0-9"))


def test_capability_values_are_strings_and_unserved_ones_absent() -> None:
    abilities = {**ROOT.abilities, **CONTAINER.abilities, **DATA_OBJECT.abilities}
    assert all(
        value == "true" or value.isdigit() if isinstance(value, str) else isinstance(value, list)
        for value in abilities.values()
    )
    assert "cdmi_logging" not in abilities


@pytest.mark.parametrize(
    ("errno", "method", "status"),
    [
        (Errno.EACCES, "PUT", 403),
        (Errno.EPERM, "DELETE", 403),
        (Errno.ENOENT, "PUT", 404),
        (Errno.EBUSY, "PUT", 409),
        (Errno.ENOTDIR, "GET", 404),
        (Errno.ENOTDIR, "PUT", 400),
        (Errno.ENOSPC, "PUT", 400),
    ],
)
def test_file_system_refusals_have_the_statuses_of_the_standard(
    errno: Errno, method: str, status: int
) -> None:
    assert status_of(Posix(errno), method) == status


def test_other_errors_keep_their_own_status() -> None:
    assert (status_of(NotFound(), "GET"), status_of(MalformedData(), "PUT")) == (404, 400)


def test_redirects_keep_the_method_of_writes() -> None:
    assert [redirect_status(m) for m in ("GET", "HEAD", "PUT", "DELETE")] == [301, 301, 308, 308]

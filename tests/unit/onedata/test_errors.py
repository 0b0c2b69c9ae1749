"""Errors: their JSON, their texts, and reading them back."""

from __future__ import annotations

import errno as numbers
import json
import re
from typing import Any

import pytest
from attrs import NOTHING
from hypothesis import given, settings
from hypothesis import strategies as st

from onedata.errors import (
    AtmStoreFrozen,
    BadData,
    BadValueInteger,
    BadValueListNotAllowed,
    BadValueNotInRange,
    Errno,
    ErrorOnNodes,
    Forbidden,
    InternalServerError,
    InviteTokenTargetIdInvalid,
    NotFound,
    OnedataError,
    OperationNotImplemented,
    Posix,
    ServiceUnavailable,
    SpaceNotSupportedBy,
    TokenCaveatUnverified,
    Unauthorized,
    UnrecognisedError,
    ViewQueryFailed,
    error_from_json,
)
from onedata.errors.base import attributes
from onedata.errors.catalogue import CATALOGUE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def _argument(name: str, nested: bool, data: st.DataObject) -> object:
    if nested:
        return NotFound()
    if name == "errno":
        return data.draw(st.sampled_from(Errno)).value
    return data.draw(st.lists(st.text(max_size=5), max_size=3) | st.text(max_size=5) | st.integers())


def _example(error: type[OnedataError], data: st.DataObject) -> OnedataError:
    arguments: list[Any] = []
    for attribute in attributes(error):
        if attribute.default is not NOTHING and data.draw(st.booleans()):
            break
        arguments.append(_argument(attribute.name, bool(attribute.metadata.get("nested")), data))
    return error(*arguments)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_error_survives_its_json_form(data: st.DataObject) -> None:
    for error in CATALOGUE.values():
        written = json.loads(json.dumps(_example(error, data).to_json()))
        read = error_from_json(written)
        assert type(read) is error
        assert (read.id, read.details) == (written["id"], written.get("details"))


def test_class_names_follow_the_ids_save_one() -> None:
    different = [cls for cls in CATALOGUE.values() if cls.__name__.lower() != cls.id.lower()]
    assert different == [OperationNotImplemented]


def test_every_text_names_only_its_own_details() -> None:
    for error in CATALOGUE.values():
        assert set(re.findall(r"{(\w+)}", error.text)) <= {a.name for a in attributes(error)}


def test_error_reply_has_exactly_the_published_form() -> None:
    assert Posix(Errno.ENOENT).wrapped() == {
        "error": {
            "id": "posix",
            "description": "Operation failed with POSIX error: enoent.",
            "details": {"errno": "enoent"},
        }
    }


def test_error_without_arguments_has_no_details() -> None:
    assert NotFound().to_json() == {"id": "notFound", "description": "The resource could not be found."}


def test_details_have_camel_case_keys_in_published_order() -> None:
    assert list((SpaceNotSupportedBy("s1", "p1").details or {}).items()) == [
        ("spaceId", "s1"),
        ("providerId", "p1"),
    ]
    assert BadValueNotInRange("mode", 0, 7).details == {"key": "mode", "low": 0, "high": 7}


def test_awkward_detail_names_are_written_as_published() -> None:
    assert InviteTokenTargetIdInvalid("x").details == {"id": "x"}
    assert ViewQueryFailed("a", "b").details == {"category": "a", "description": "b"}


def test_nested_error_appears_without_its_wrapper() -> None:
    inner = TokenCaveatUnverified({"type": "data.readonly"})
    assert Unauthorized(inner).details == {"authError": inner.to_json()}


def test_optional_details_are_left_out_when_unknown() -> None:
    assert Unauthorized().details is None
    assert Forbidden().details is None
    assert BadData("name").details == {"key": "name"}


def test_hints_and_references_reach_the_description() -> None:
    assert "because" in Forbidden("because").description
    assert "4711" in InternalServerError("4711").description
    assert "not be found" in Unauthorized(NotFound()).description
    assert BadData("a", "hint", NotFound()).description.startswith("Bad value: a is not acceptable. hint The")


def test_description_is_what_str_and_logs_show() -> None:
    assert str(BadValueInteger("limit")) == "Bad value: limit must be an integer."


def test_lists_in_descriptions_read_like_sentences() -> None:
    assert str(BadValueListNotAllowed("attributes", ("name", "size"))).endswith("only: name, size.")
    assert "one" in str(BadValueListNotAllowed("attributes", frozenset({"one"})))


def test_error_on_nodes_takes_the_status_of_its_cause() -> None:
    assert ErrorOnNodes(AtmStoreFrozen("s"), ["host"]).http_status == 403


def test_only_hopeful_errors_are_called_retryable() -> None:
    assert ServiceUnavailable.retryable
    assert not NotFound.retryable
    assert Posix(Errno.EAGAIN).retryable
    assert not Posix(Errno.ENOENT).retryable


@pytest.mark.parametrize("errno", Errno)
def test_posix_error_comes_from_the_operating_system_number(errno: Errno) -> None:
    assert Posix.from_oserror(OSError(errno.number, "text", "/secret/path")).errno is errno


def test_posix_error_from_unknown_number_is_eio() -> None:
    assert Posix.from_oserror(OSError(9999, "?")).errno is Errno.EIO
    assert Posix.from_oserror(OSError("no number")).errno is Errno.EIO


def test_posix_error_never_tells_the_path_of_the_storage() -> None:
    error = Posix.from_oserror(FileNotFoundError(numbers.ENOENT, "No such file", "/secret/path"))
    assert "secret" not in json.dumps(error.to_json()) + repr(error)


def test_posix_hint_is_for_people_only() -> None:
    error = Posix(Errno.EPERM, "The file is protected.")
    assert error.description.endswith("eperm. The file is protected.")
    assert error.details == {"errno": "eperm"}


def test_reason_of_a_refusal_is_a_detail_on_request_and_survives_the_wire() -> None:
    error = Posix(Errno.EACCES, reason="mode 700 of /a denies list_container")
    assert error.to_json() == Posix(Errno.EACCES).to_json()
    full = error.to_json(in_full=True)
    assert full["details"] == {"errno": "eacces", "reason": "mode 700 of /a denies list_container"}
    assert error_from_json(full).to_json(in_full=True) == full


def test_unknown_error_keeps_what_the_other_system_said() -> None:
    said = {"id": "somethingNew", "description": "New.", "details": {"a": 1}}
    error = error_from_json(said)
    assert isinstance(error, UnrecognisedError)
    assert (error.http_status, error.to_json()) == (500, said)


def test_known_id_with_unfit_details_is_unrecognised() -> None:
    assert isinstance(error_from_json({"id": "badValueInteger"}), UnrecognisedError)
    assert isinstance(error_from_json({"id": "posix", "details": {"errno": "enope"}}), UnrecognisedError)
    assert isinstance(error_from_json({"id": "posix", "details": ["enoent"]}), UnrecognisedError)


@given(JSON | st.fixed_dictionaries({"id": st.sampled_from(sorted(CATALOGUE)), "details": JSON}))
def test_reading_any_json_as_an_error_never_raises(obj: object) -> None:
    error = error_from_json(obj)
    assert isinstance(error.to_json()["id"], str)
    assert isinstance(error.description, str)

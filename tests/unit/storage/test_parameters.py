"""Parameters of storages: what is refused, completed, changed and shown."""

from __future__ import annotations

from typing import Any

import pytest

from onedata.errors import (
    BadData,
    BadValueBoolean,
    BadValueFloat,
    BadValueInteger,
    BadValueNotAllowed,
    BadValueOctal,
    BadValueString,
    BadValueTooLow,
    MissingRequiredValue,
    OnedataError,
)
from op_worker.storage.catalogue import TYPES
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.parameters import (
    HIDDEN,
    changed,
    checked,
    path_type,
    shown,
    stored,
    taken_apart,
    timeout_s,
)
from op_worker.storage.types import BadStorageError, Kind, Parameter, Parameters, PathType, StorageType

REMOTE = StorageType(
    name="remote",
    arguments=[
        Parameter(name="endpoint"),
        Parameter(name="blockSize", kind=Kind.INTEGER, default="10485760", is_fixed=True),
        Parameter(name="accessTokenTTL", kind=Kind.INTEGER, is_optional=True),
        Parameter(name="probability", kind=Kind.NUMBER, default="0.0"),
        Parameter(name="verify", kind=Kind.BOOLEAN, default="true"),
        Parameter(name="fileMode", kind=Kind.OCTAL, default="0664"),
    ],
    credentials=[
        Parameter(name="credentialsType", choices=("none", "basic")),
        Parameter(name="credentials", unless=("credentialsType", "none"), is_secret=True),
        Parameter(name="uid", kind=Kind.INTEGER, default="0", minimum=-1),
    ],
    make=lambda parameters, surroundings: MemoryHelper(),
    path_types=(PathType.FLAT, PathType.CANONICAL),
    is_object_storage=True,
)
GIVEN = {"endpoint": "https://store.test", "credentialsType": "basic", "credentials": "joe:hush"}


def read(**fields: str) -> Parameters:
    return checked(REMOTE, {**GIVEN, **fields}, {})


def refused(work: Any) -> BadStorageError:
    with pytest.raises(BadStorageError) as caught:
        work()
    return caught.value


def told(work: Any) -> object:
    """Return what a door says of the refusal."""
    error = refused(work).error
    assert error is not None
    return error.to_json()


def test_defaults_are_put_in_and_values_are_kept() -> None:
    parameters = read(verify="false")
    assert (parameters.text("endpoint"), parameters.integer("blockSize")) == ("https://store.test", 10485760)
    assert (parameters.boolean("verify"), parameters.number("probability")) == (False, 0.0)
    assert parameters.credentials == {"credentialsType": "basic", "credentials": "joe:hush", "uid": "0"}
    assert not parameters.has("accessTokenTTL")


def test_every_type_has_a_path_type_a_timeout_and_archives() -> None:
    parameters = read(timeout="1500")
    assert (path_type(parameters), timeout_s(parameters)) == (PathType.FLAT, 1.5)
    assert parameters.boolean("archiveStorage") is False
    for type_ in TYPES.values():
        assert path_type(stored(type_, {}, {})) is type_.path_types[0]
        assert timeout_s(stored(type_, {}, {})) == 120.0


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"colour": "red"}, BadData("colour", "a storage of type remote has no such parameter")),
        ({"endpoint": "null"}, BadValueString("endpoint")),
        ({"endpoint": ""}, BadValueString("endpoint")),
        ({"blockSize": "big"}, BadValueInteger("blockSize")),
        ({"blockSize": "-1"}, BadValueTooLow("blockSize", 0)),
        ({"blockSize": "1.5"}, BadValueInteger("blockSize")),
        ({"uid": "-2"}, BadValueTooLow("uid", -1)),
        ({"timeout": "0"}, BadValueTooLow("timeout", 1)),
        ({"probability": "often"}, BadValueFloat("probability")),
        ({"probability": "-0.5"}, BadValueFloat("probability")),
        ({"verify": "yes"}, BadValueBoolean("verify")),
        ({"fileMode": "0888"}, BadValueOctal("fileMode")),
        ({"credentialsType": "magic"}, BadValueNotAllowed("credentialsType", ["none", "basic"])),
        ({"storagePathType": "winding"}, BadValueNotAllowed("storagePathType", ["flat", "canonical"])),
    ],
)
def test_a_bad_value_is_refused_by_its_name(fields: dict[str, str], error: OnedataError) -> None:
    found = refused(lambda: read(**fields))
    assert found.error is not None
    assert found.error.to_json() == error.to_json()
    assert all(name in str(found) for name in fields)


@pytest.mark.parametrize("name", ["endpoint", "credentialsType", "credentials"])
def test_a_missing_value_is_named(name: str) -> None:
    given = {key: value for key, value in GIVEN.items() if key != name}
    assert told(lambda: checked(REMOTE, given, {})) == MissingRequiredValue(name).to_json()


def test_a_parameter_that_depends_on_another_is_not_needed_where_that_says_so() -> None:
    parameters = checked(REMOTE, {"endpoint": "x", "credentialsType": "none"}, {})
    assert not parameters.has("credentials")


def test_refusals_do_not_tell_secrets() -> None:
    odd = StorageType(
        name="odd",
        credentials=[Parameter(name="pin", kind=Kind.INTEGER, is_secret=True)],
        make=REMOTE.make,
    )
    found = refused(lambda: checked(odd, {}, {"pin": "hush-hush"}))
    assert "hush" not in str(found) + repr(found.error)


def test_spellings_of_old_documents_and_of_the_panel_are_understood() -> None:
    parameters = read(block_size="4096", access_token_ttl="60", file_mode="0644", rootUid="17")
    assert (parameters.integer("blockSize"), parameters.integer("accessTokenTTL")) == (4096, 60)
    assert (parameters.text("fileMode"), parameters.integer("uid")) == ("0644", 17)


def test_a_value_in_two_spellings_is_refused() -> None:
    assert (
        told(lambda: read(block_size="1", blockSize="2"))
        == BadData("blockSize", "it is given in two spellings").to_json()
    )


def test_arguments_and_credentials_are_told_apart() -> None:
    taken = taken_apart(REMOTE, GIVEN)
    assert taken.arguments == {"endpoint": "https://store.test"}
    assert taken.credentials == {"credentialsType": "basic", "credentials": "joe:hush"}


def test_changes_go_over_the_old_values_and_are_checked() -> None:
    old = read(verify="false")
    new = changed(REMOTE, old, {"endpoint": "https://other.test", "credentials": "jane:mum"})
    assert new.text("endpoint") == "https://other.test"
    assert (new.text("credentials"), new.boolean("verify")) == ("jane:mum", False)
    assert told(lambda: changed(REMOTE, old, {"verify": "no"})) == BadValueBoolean("verify").to_json()
    assert isinstance(refused(lambda: changed(REMOTE, old, {"colour": "red"})).error, BadData)


@pytest.mark.parametrize(("name", "value"), [("blockSize", "1"), ("storagePathType", "canonical")])
def test_what_was_decided_when_the_storage_was_made_cannot_be_changed(name: str, value: str) -> None:
    old = read()
    assert changed(REMOTE, old, {name: old.text(name)}) == old
    assert (
        told(lambda: changed(REMOTE, old, {name: value}))
        == BadData(name, "it stays as it was when the storage was made").to_json()
    )


def test_a_secret_given_as_it_is_shown_stays_as_it_was() -> None:
    old = read()
    assert changed(REMOTE, old, dict(shown(REMOTE, old))) == old


def test_what_another_version_has_stored_outlives_changes_and_is_not_shown() -> None:
    old = stored(REMOTE, {**GIVEN, "novelty": "x"}, {"token": "y"})
    new = changed(REMOTE, old, {"verify": "false"})
    assert (new.arguments["novelty"], new.credentials["token"]) == ("x", "y")
    assert (shown(REMOTE, new)["novelty"], shown(REMOTE, new)["token"]) == (HIDDEN, HIDDEN)


def test_secrets_are_shown_as_stars_and_not_printed() -> None:
    answer = shown(REMOTE, read())
    assert answer["credentials"] == HIDDEN
    assert answer["endpoint"] == "https://store.test"
    assert "hush" not in repr(read().credentials and Parameters(credentials=read().credentials))


SECRETS = {"key", "secretKey", "password", "credentials", "accessToken", "onedataAccessToken"}


@pytest.mark.parametrize("type_", TYPES.values(), ids=lambda each: each.name)
def test_every_type_hides_the_secrets_that_are_known_by_name(type_: StorageType) -> None:
    open_ = [each.name for each in (*type_.arguments, *type_.credentials) if not each.is_secret]
    assert not SECRETS & set(open_)


@pytest.mark.parametrize("type_", TYPES.values(), ids=lambda each: each.name)
def test_the_defaults_of_every_type_would_be_taken_as_given(type_: StorageType) -> None:
    given = {each.name: "1" for each in (*type_.arguments, *type_.credentials) if each.default is None}
    given |= {
        each.name: each.choices[0]
        for each in (*type_.arguments, *type_.credentials)
        if each.default is None and each.choices
    }
    once = checked(type_, given, {})
    assert checked(type_, once.arguments, once.credentials) == once

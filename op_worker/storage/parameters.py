"""Parameters of storages, checked, completed, changed and shown without secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

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
from op_worker.storage.types import BadStorageError, Kind, Parameter, Parameters, PathType, StorageType

HIDDEN = "*****"
"""What is shown instead of a secret."""

PATH_TYPE, TIMEOUT = "storagePathType", "timeout"
DEFAULT_TIMEOUT_MS = 120_000
_PANEL_NAMES = {"rootUid": "uid", "rootGid": "gid"}
_OCTAL = re.compile(r"[0-7]{1,4}")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")


def arguments_of(type_: StorageType) -> Sequence[Parameter]:
    """Return the arguments of a type, those that all types have included."""
    return [
        *type_.arguments,
        Parameter(
            name=PATH_TYPE,
            default=type_.path_types[0].value,
            choices=[each.value for each in type_.path_types],
            is_fixed=True,
        ),
        Parameter(name=TIMEOUT, kind=Kind.INTEGER, default=str(DEFAULT_TIMEOUT_MS), minimum=1),
        Parameter(name="archiveStorage", kind=Kind.BOOLEAN, default="false"),
    ]


def taken_apart(type_: StorageType, fields: Mapping[str, str]) -> Parameters:
    """Return arguments and credentials that a description has side by side, named as we name them, unchecked.

    Raises: BadStorageError for a name that the type does not have, or that is there in two spellings.
    """
    arguments, credentials = arguments_of(type_), type_.credentials
    known = {each.name for each in (*arguments, *credentials)}
    named = _named(known, fields)
    if unknown := sorted(set(named) - known):
        raise _refused(
            f"a storage of type {type_.name} has no parameter {', '.join(unknown)}; "
            f"it has {', '.join(sorted(known))}",
            BadData(unknown[0], f"a storage of type {type_.name} has no such parameter"),
        )
    return Parameters(
        arguments={each.name: named[each.name] for each in arguments if each.name in named},
        credentials={each.name: named[each.name] for each in credentials if each.name in named},
    )


def checked(type_: StorageType, arguments: Mapping[str, str], credentials: Mapping[str, str]) -> Parameters:
    """Return the values of a new storage's parameters, each of them checked, with defaults put in.

    Raises: BadStorageError that names the parameter, and never tells its value.
    """
    given = taken_apart(type_, {**arguments, **credentials})
    completed = stored(type_, given.arguments, given.credentials)
    for parameter in (*arguments_of(type_), *type_.credentials):
        if completed.has(parameter.name):
            _check(parameter, completed.text(parameter.name))
        elif _is_required(parameter, completed):
            raise _refused(
                f"a storage of type {type_.name} needs {parameter.name}", MissingRequiredValue(parameter.name)
            )
    return completed


def stored(type_: StorageType, arguments: Mapping[str, str], credentials: Mapping[str, str]) -> Parameters:
    """Return the values of a stored record's parameters with defaults put in.

    They were checked when they were stored; what another version of this program has stored besides stays.
    """
    return Parameters(
        arguments=_with_defaults(arguments_of(type_), arguments),
        credentials=_with_defaults(type_.credentials, credentials),
    )


def changed(type_: StorageType, old: Parameters, fields: Mapping[str, str]) -> Parameters:
    """Return the parameters of a storage after a change: the old values, and over them the new ones, checked.

    A secret that is given as it is shown stays as it was. What another version of this program has stored
    besides stays.

    Raises: BadStorageError, also for another value of what stays as it was made.
    """
    of_type = (*arguments_of(type_), *type_.credentials)
    secrets = {each.name for each in of_type if each.is_secret}
    given = _all(taken_apart(type_, fields))
    new = {name: value for name, value in given.items() if not (name in secrets and value == HIDDEN)}
    before = _all(stored(type_, old.arguments, old.credentials))
    known = {each.name: before[each.name] for each in of_type if each.name in before}
    for parameter in of_type:
        name = parameter.name
        if parameter.is_fixed and name in new and new[name] != known.get(name):
            raise _refused(
                f"{name} cannot be changed", BadData(name, "it stays as it was when the storage was made")
            )
    result = checked(type_, {**known, **new}, {})
    return Parameters(
        arguments={**old.arguments, **result.arguments}, credentials={**old.credentials, **result.credentials}
    )


def shown(type_: StorageType, parameters: Parameters) -> Mapping[str, str]:
    """Return all values for an answer, secrets hidden.

    What the type does not know, from another version of this program, is hidden too.
    """
    plain = {each.name for each in (*arguments_of(type_), *type_.credentials) if not each.is_secret}
    values = _all(parameters)
    return {name: value if name in plain or not value else HIDDEN for name, value in values.items()}


def path_type(parameters: Parameters) -> PathType:
    """Return what the paths of files on a storage follow."""
    return PathType(parameters.text(PATH_TYPE))


def timeout_s(parameters: Parameters) -> float:
    """Return how long an operation may take."""
    return parameters.integer(TIMEOUT) / 1000


def _all(parameters: Parameters) -> Mapping[str, str]:
    return {**parameters.arguments, **parameters.credentials}


def _named(known: Iterable[str], fields: Mapping[str, str]) -> Mapping[str, str]:
    """Translate the spellings of old documents, and those of the panel."""
    by_letters = {name.casefold(): name for name in known}
    named: dict[str, str] = {}
    for given, value in fields.items():
        letters = given.replace("_", "").casefold()
        name = by_letters.get(letters, given) if "_" in given else given
        if name not in by_letters.values():
            name = _PANEL_NAMES.get(name, name)
        if name in named:
            raise _refused(f"{name} is given twice", BadData(name, "it is given in two spellings"))
        named[name] = value
    return named


def _with_defaults(parameters: Sequence[Parameter], given: Mapping[str, str]) -> Mapping[str, str]:
    defaults = {each.name: each.default for each in parameters if each.default is not None}
    return {**defaults, **given}


def _is_required(parameter: Parameter, values: Parameters) -> bool:
    if parameter.unless is not None:
        other, value = parameter.unless
        return not (values.has(other) and values.text(other) == value)
    return not parameter.is_optional


def _check(parameter: Parameter, value: str) -> None:
    name = parameter.name
    if not isinstance(value, str) or value == "null":
        raise _refused(f"{name} must be a text, and not null", BadValueString(name))
    if parameter.choices and value not in parameter.choices:
        raise _refused(
            f"{name} must be one of {', '.join(parameter.choices)}",
            BadValueNotAllowed(name, list(parameter.choices)),
        )
    if (refused := _KINDS[parameter.kind](parameter, value)) is not None:
        raise refused


def _text(parameter: Parameter, value: str) -> BadStorageError | None:
    if value or not _must_not_be_empty(parameter):
        return None
    return _refused(f"{parameter.name} must not be empty", BadValueString(parameter.name))


def _must_not_be_empty(parameter: Parameter) -> bool:
    return parameter.default is None and not parameter.is_optional and parameter.unless is None


def _integer(parameter: Parameter, value: str) -> BadStorageError | None:
    name, least = parameter.name, parameter.minimum
    if not _INTEGER.fullmatch(value):
        return _refused(f"{name} must be a whole number", BadValueInteger(name))
    if int(value) < least:
        return _refused(f"{name} must be at least {least}", BadValueTooLow(name, least))
    return None


def _number(parameter: Parameter, value: str) -> BadStorageError | None:
    if _NUMBER.fullmatch(value):
        return None
    return _refused(f"{parameter.name} must be a number, zero or more", BadValueFloat(parameter.name))


def _boolean(parameter: Parameter, value: str) -> BadStorageError | None:
    if value in ("true", "false"):
        return None
    return _refused(f"{parameter.name} must be true or false", BadValueBoolean(parameter.name))


def _octal(parameter: Parameter, value: str) -> BadStorageError | None:
    if _OCTAL.fullmatch(value):
        return None
    return _refused(f"{parameter.name} must be permission bits such as 0664", BadValueOctal(parameter.name))


_KINDS: Mapping[Kind, Callable[[Parameter, str], BadStorageError | None]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.OCTAL: _octal,
}


def _refused(text: str, error: OnedataError) -> BadStorageError:
    return BadStorageError(text, error)

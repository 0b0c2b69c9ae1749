"""Parameters of storages, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from op_worker.storage.types import BadStorageError, Parameter, Parameters, StorageType


def checked(type_: StorageType, arguments: Mapping[str, str], credentials: Mapping[str, str]) -> Parameters:
    """Return the values of a storage's parameters with defaults put in.

    Raises: BadStorageError that names the parameter that is missing.
    """
    return Parameters(
        arguments=_with_defaults(type_.arguments, arguments),
        credentials=_with_defaults(type_.credentials, credentials),
    )


def _with_defaults(parameters: Sequence[Parameter], given: Mapping[str, str]) -> Mapping[str, str]:
    values = dict(given)
    for each in parameters:
        if each.name in values:
            continue
        if each.default is not None:
            values[each.name] = each.default
        elif not each.is_optional:
            raise BadStorageError(f"a storage of this type needs {each.name}")
    return values

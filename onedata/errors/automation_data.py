"""Errors of workflow automation that concern its data types and stores."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError


@define(slots=False)
class AtmUnsupportedDataType(OnedataError):
    text: ClassVar[str] = "The data type {type} is not supported; these are: {allowed}."

    type: object
    allowed: Collection[object]


@define(slots=False)
class AtmDataTypeUnverified(OnedataError):
    text: ClassVar[str] = "The value {value} is not of the type {exp_type}."

    value: object
    exp_type: object


@define(slots=False)
class AtmDataValueConstraintUnverified(OnedataError):
    text: ClassVar[str] = "The value {value} of the type {type} breaks the constraints {value_constraints}."

    value: object
    type: object
    value_constraints: object


@define(slots=False)
class AtmStoreFailureWithCause(OnedataError):
    """A failure of one store, with its cause."""

    atm_store_schema_id: str
    specific_error: OnedataError = field(metadata=NESTED)


class AtmStoreCreationFailed(AtmStoreFailureWithCause):
    text: ClassVar[str] = "The store {atm_store_schema_id} could not be created: {specific_error}"


@define(slots=False)
class AtmStoreFailure(OnedataError):
    """A failure of one store."""

    atm_store_schema_id: str


class AtmStoreFrozen(AtmStoreFailure):
    text: ClassVar[str] = "The store {atm_store_schema_id} is frozen and cannot be changed."
    http_status = 403


class AtmStoreNotFound(AtmStoreFailure):
    text: ClassVar[str] = "The store {atm_store_schema_id} does not exist."


class AtmStoreContentNotSet(AtmStoreFailure):
    text: ClassVar[str] = "The store {atm_store_schema_id} has no content."


@define(slots=False)
class AtmStoreTypeDisallowed(OnedataError):
    text: ClassVar[str] = "The store {atm_store_schema_id} must be of one of the types: {allowed}."

    atm_store_schema_id: str
    allowed: Collection[object]

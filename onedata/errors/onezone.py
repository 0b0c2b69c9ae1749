"""Errors of the zone: relations between users, groups, spaces and providers."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define

from onedata.errors.base import OnedataError


class SubdomainDelegationNotSupported(OnedataError):
    text: ClassVar[str] = "This Onezone does not support the delegation of subdomains."


class SubdomainDelegationDisabled(OnedataError):
    text: ClassVar[str] = "The delegation of subdomains is disabled for this Oneprovider."


class SpaceMarketplaceDisabled(OnedataError):
    text: ClassVar[str] = "The space marketplace is disabled in this Onezone."


class CannotAddRelationToSelf(OnedataError):
    text: ClassVar[str] = "A group cannot be made a member of itself."


class CannotDeleteNonEmptyHandleService(OnedataError):
    text: ClassVar[str] = "The handle service still has handles."


class ProtectedGroup(OnedataError):
    text: ClassVar[str] = "The group is protected and cannot be deleted."
    http_status = 403


@define(slots=False)
class AtmLambdaInUse(OnedataError):
    text: ClassVar[str] = "The lambda is used by the workflow schemas: {atm_workflow_schemas}."
    http_status = 403

    atm_workflow_schemas: Collection[str]


@define(slots=False)
class EntityFailure(OnedataError):
    """A failure that concerns one entity."""

    entity_type: str
    entity_id: str


class CannotRemoveLastOwner(EntityFailure):
    text: ClassVar[str] = "The last owner of the {entity_type} {entity_id} cannot be removed."


class CannotDeleteEntity(EntityFailure):
    text: ClassVar[str] = "The {entity_type} {entity_id} could not be deleted."
    http_status = 500


@define(slots=False)
class RelationFailure(OnedataError):
    """A failure that concerns the membership of one entity in another."""

    child_type: str
    child_id: str
    parent_type: str
    parent_id: str


class RelationDoesNotExist(RelationFailure):
    text: ClassVar[str] = "The {child_type} {child_id} is not a member of the {parent_type} {parent_id}."


class RelationAlreadyExists(RelationFailure):
    text: ClassVar[str] = "The {child_type} {child_id} is a member of the {parent_type} {parent_id} already."
    http_status = 409


@define(slots=False)
class SpaceAlreadySupportedWithImportedStorage(OnedataError):
    text: ClassVar[str] = "The space {space_id} is supported with the imported storage {storage_id} already."
    http_status = 409

    space_id: str
    storage_id: str

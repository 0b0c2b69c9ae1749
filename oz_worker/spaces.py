"""Spaces and their supports. Pure; functions change a draft and ask for no permission."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from onedata.errors import AlreadyExists, BadValueTooLow, NotFound, RelationAlreadyExists
from oz_worker.draft import Draft
from oz_worker.records import Changes, Space, Support

SMALLEST_SUPPORT_B: Final = 1_000_000


def create_space(draft: Draft, space: Space) -> None:
    """Add a space. Raises: AlreadyExists for a taken id."""
    if draft.exists("space", space.id):
        raise AlreadyExists()
    draft.put(space)


def update_space(draft: Draft, space_id: str, changes: Changes) -> None:
    """Change attributes of a space, named as in ``records.Space``. Raises: NotFound."""
    draft.put(evolve(draft.space(space_id), **changes))


def delete_space(draft: Draft, space_id: str) -> None:
    """Remove a space, its supports with it. Raises: NotFound."""
    draft.delete(draft.space(space_id))


def add_support(draft: Draft, space_id: str, provider_id: str, storage_id: str, size_b: int) -> None:
    """Let a storage of a provider support a space.

    Raises: NotFound; RelationAlreadyExists when that storage supports it already.
    """
    space = draft.space(space_id)
    draft.require(draft.provider(provider_id))
    support = space.supports.get(provider_id, Support({}))
    if storage_id in support.storages:
        raise RelationAlreadyExists("space", space_id, "storage", storage_id)
    support = evolve(support, storages={**support.storages, storage_id: size_b})
    draft.put(evolve(space, supports={**space.supports, provider_id: support}))


def resize_support(draft: Draft, space_id: str, provider_id: str, size_b: int) -> None:
    """Change the size of a support; it goes to the first storage, others keep theirs.

    Raises: NotFound when the provider does not support the space.
    """
    space = draft.space(space_id)
    support = _support(space, provider_id)
    first = sorted(support.storages)[0]
    others_b = support.size_b - support.storages[first]
    storages = {**support.storages, first: max(0, size_b - others_b)}
    draft.put(evolve(space, supports={**space.supports, provider_id: evolve(support, storages=storages)}))


def resize_storage(draft: Draft, space_id: str, provider_id: str, storage_id: str, size_b: int) -> None:
    """Change what one storage of a provider gives to a space; 0 ends its part.

    Raises: NotFound when it does not support the space; BadValueTooLow below the smallest support, also for
        ending the part of the last storage, which ends the support.
    """
    space = draft.space(space_id)
    support = _support(space, provider_id)
    if storage_id not in support.storages:
        raise NotFound()
    storages = {**support.storages, storage_id: size_b}
    if size_b == 0 and len(storages) > 1:
        del storages[storage_id]
    elif size_b < SMALLEST_SUPPORT_B:
        raise BadValueTooLow("size", SMALLEST_SUPPORT_B)
    draft.put(evolve(space, supports={**space.supports, provider_id: evolve(support, storages=storages)}))


def remove_support(draft: Draft, space_id: str, provider_id: str) -> None:
    """End the support of a space by a provider. Raises: NotFound when there is none."""
    space = draft.space(space_id)
    _support(space, provider_id)
    left = {key: support for key, support in space.supports.items() if key != provider_id}
    draft.put(evolve(space, supports=left))


def _support(space: Space, provider_id: str) -> Support:
    support = space.supports.get(provider_id)
    if support is None:
        raise NotFound()
    return support

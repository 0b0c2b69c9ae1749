"""Contents that lie at several places: what changes when bytes are written, cut or moved there. Pure.

Every byte of a content is at one place: in a part, or else at the main one. A place is named by its storage
and its path; paths that follow no names are used once, so a place that is gone does not come back.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Block, Blocks
from op_worker.files.stored.documents import Location
from op_worker.files.stored.parts import Part, Place


def written(old: Location, opened: Location, block: Block) -> Location | None:
    """Return where bytes are now that ``block`` was written to the places that ``opened`` told.

    What was written counts, wherever these bytes were moved meanwhile. ``None`` when it was written to a
    place that the content has left for good.
    """
    parts = old.parts
    for place, mine in _shares(opened, block).items():
        others = tuple(part.without(mine) for part in parts)
        if place == old.place:
            parts = others
        elif any(part.place == place for part in parts):
            parts = tuple(
                evolve(part, blocks=block_lists.merge(part.blocks, mine)) if part.place == place else part
                for part in others
            )
        else:
            return None
    return evolve(old, blocks=block_lists.merge(old.blocks, (block,)), parts=parts)


def cut(old: Location, size_b: int) -> Location:
    """Return where bytes are once those from ``size_b`` on are cut off; the size is not changed."""
    parts = tuple(evolve(part, blocks=block_lists.cut(part.blocks, size_b)) for part in old.parts)
    return evolve(old, blocks=block_lists.cut(old.blocks, size_b), parts=parts)


def moved(old: Location, block: Block, target: Place) -> Location:
    """Return where bytes are once ``block``, all of it held, was copied to a part at ``target``."""
    parts = [part.without((block,)) for part in old.parts]
    known = next((part for part in parts if part.place == target), None)
    if known is None:
        return evolve(old, parts=(*parts, Part(*target, (block,))))
    after = evolve(known, blocks=block_lists.merge(known.blocks, (block,)))
    return evolve(old, parts=tuple(after if part is known else part for part in parts))


def left(old: Location, place: Place) -> Location | None:
    """Return where bytes are once a place that has none of them any more is given up.

    The part with most bytes takes the turn of the main place. ``None`` when there is no other place.
    """
    if place != old.place:
        return evolve(old, parts=tuple(part for part in old.parts if part.place != place))
    if not old.parts:
        return None
    main = max(old.parts, key=lambda part: block_lists.total(part.blocks))
    others = tuple(part for part in old.parts if part is not main)
    return evolve(old, storage_id=main.storage_id, at=main.at, is_apart=True, parts=others)


def blocks_at(location: Location, place: Place) -> Blocks:
    """Return the bytes that lie at a place."""
    if place == location.place:
        return location.main_blocks
    return next((part.blocks for part in location.parts if part.place == place), block_lists.NONE)


def _shares(opened: Location, block: Block) -> Mapping[Place, Blocks]:
    """Return which bytes of ``block`` are written to which place."""
    shares: dict[Place, Blocks] = {}
    rest: Blocks = (block,)
    for part in opened.parts:
        mine = block_lists.intersect((block,), part.blocks)
        if mine:
            shares[part.place] = mine
            rest = block_lists.subtract(rest, mine)
    if rest:
        shares[opened.place] = rest
    return shares

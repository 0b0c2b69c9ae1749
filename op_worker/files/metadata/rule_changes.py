"""Retention, holds and wishes as changes of files: what a change asks for, and its steps."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from cluster_worker.persistence.engine import Step
from op_worker.files.model import MetadataChange
from op_worker.files.operations import NOTHING, Operation
from op_worker.files.rights.immutability import register_steps
from op_worker.files.rules.offer import Offer
from op_worker.files.rules.rules import Rules, changed_wishes
from op_worker.files.stored import batches
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain


def needed_for_rules(change: MetadataChange) -> Operation:
    """Return what a change of rules needs on the file."""
    needed = NOTHING
    if change.wishes:
        needed |= Operation.WRITE_METADATA
    if change.immutability.changes_retention:
        needed |= Operation.WRITE_RETENTION
    if change.immutability.changes_holds:
        needed |= Operation.WRITE_RETENTION_HOLD
    return needed


def ruled(
    meta: Meta, change: MetadataChange, now_ms: Callable[[], int], directory: Rules, offer: Offer
) -> Meta:
    """Return what a file in a directory with these rules is after a change of its own.

    Raises: Posix(EPERM), see ``ImmutabilityChange.applied``; what ``Offer.require`` raises.
    """
    if not change.immutability.is_empty:
        kept = change.immutability.applied(meta.immutability, now_ms(), directory.holds)
        meta = evolve(meta, immutability=kept)
    offer.require(change.wishes)
    return evolve(meta, wishes=changed_wishes(meta.wishes, change.wishes)) if change.wishes else meta


def rule_steps_of_new(made: Chain, meta: Meta) -> list[Step]:
    """Return the steps besides those that make a file with rules; they demand its place already."""
    return register_steps(made.file.key, None, meta.immutability, is_directory=made.file.is_directory)


def rule_steps(chain: Chain, before: Meta, after: Meta) -> list[Step]:
    """Return the steps besides those of ``Meta`` itself: the registers, and that the file stays in its place.

    So whoever removes or moves a directory above either sees the file registered or comes first.
    """
    old, new = before.immutability, after.immutability
    steps = register_steps(chain.file.key, old, new, is_directory=chain.file.is_directory)
    return [*steps, *batches.unmoved(chain)] if steps else []

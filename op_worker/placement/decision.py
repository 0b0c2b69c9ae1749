"""The decision: in which order the storages of a space are tried for a content. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, log

from attrs import field, frozen

from onedata.ids import StorageId
from op_worker.glob import Glob
from op_worker.placement.policy import Otherwise, Policy, Prefer, Rule
from op_worker.qos_expression.evaluation import matching
from op_worker.qos_expression.syntax import ANY_STORAGE, Expression


@frozen(kw_only=True)
class Candidate:
    """A storage that supports the space, as it is now.

    Attributes:
        room_b: how many bytes more it gives the space, as far as the support and the storage itself go.
        is_usable: whether new contents may go there: it answers, it is written to, it is not being drained.
    """

    storage_id: StorageId
    room_b: int
    is_usable: bool = True
    parameters: Mapping[str, str | float] = field(factory=dict)


@frozen(kw_only=True)
class NewContent:
    """What is known of a content before its bytes are written.

    Attributes:
        names: that lead to its file below the root of the space; ``None`` when it has none yet.
        required: what the file, or a directory above, demands of the storage.
    """

    size_b: int | None = None
    names: tuple[str, ...] | None = None
    required: Expression = ANY_STORAGE


def ranked(
    policy: Policy, candidates: Sequence[Candidate], content: NewContent, draw: Callable[[], float]
) -> list[StorageId]:
    """Return the storages to try, the best one first; none when no storage can take the content.

    Of two storages of a rule the one with twice the weight comes first twice as often.

    Args:
        draw: gives numbers between 0 and 1, the ends excluded.
    """
    fit = [one for one in candidates if one.is_usable and one.room_b >= max(content.size_b or 0, 1)]
    if content.size_b == 0:
        fit = [one for one in candidates if one.is_usable]
    allowed = matching(content.required, {one.storage_id: one.parameters for one in fit})
    left = [one for one in fit if one.storage_id in allowed]
    order: list[StorageId] = []
    for rule in (*_about(policy, content), Rule()):
        chosen = matching(rule.expression, {one.storage_id: one.parameters for one in left})
        drawn = _drawn(rule, [one for one in left if one.storage_id in chosen], draw)
        order.extend(drawn)
        left = [one for one in left if one.storage_id not in drawn]
        if rule.otherwise is Otherwise.REFUSE:
            break
    return order


def _about(policy: Policy, content: NewContent) -> Iterator[Rule]:
    """Return the rules that are about a content."""
    for rule in policy.rules:
        if _names(rule, content) and _sizes(rule, content):
            yield rule


def _names(rule: Rule, content: NewContent) -> bool:
    if rule.name is None:
        return True
    if not content.names:
        return False
    pattern = Glob.parse(rule.name)
    places = pattern.start
    for name in content.names if "/" in rule.name else content.names[-1:]:
        places = pattern.after(places, name)
    return pattern.is_match(places)


def _sizes(rule: Rule, content: NewContent) -> bool:
    if rule.min_size_b is None and rule.max_size_b is None:
        return True
    if content.size_b is None:
        return False
    low = 0 if rule.min_size_b is None else rule.min_size_b
    return low <= content.size_b <= (inf if rule.max_size_b is None else rule.max_size_b)


def _drawn(rule: Rule, candidates: Sequence[Candidate], draw: Callable[[], float]) -> list[StorageId]:
    """Return candidates in an order drawn by weight, without those of none."""
    keyed = []
    for one in candidates:
        weight = rule.weights.get(one.storage_id, 1.0)
        if rule.prefer is Prefer.FREE:
            weight *= max(one.room_b, 1)
        if weight > 0:
            keyed.append((-log(draw()) / weight, one.storage_id))  # the first of exponential clocks
    return [storage_id for _, storage_id in sorted(keyed)]

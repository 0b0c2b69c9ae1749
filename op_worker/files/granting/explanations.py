"""What somebody may do with a file, each part of the decision with its fact. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, frozen

from onedata.errors import BadValueNotAllowed
from onedata.ids import FileGuid, UserId
from op_worker.files.operations import ALL_NAMES, names_for
from op_worker.files.rights.permissions import FileFacts, Operation, Subject, Verdict, decide
from op_worker.files.rights.verdicts import Fact, FactKind, refused
from op_worker.files.stored.nodes import Chain

_NOT_MEMBER = refused(Fact(FactKind.NOT_MEMBER))
_CONFINED = refused(Fact(FactKind.CONFINED_TOKEN))
_MEMBERS_PASS = Verdict(None, Fact(FactKind.SPACE_ROOT))


@frozen
class Passage:
    """Whether a directory on the way may be passed."""

    guid: FileGuid
    path: str
    verdict: Verdict


@frozen
class Explanation:
    """What a user may do with a file.

    ``ancestors`` begin with the root of the space and end with the first that may not be passed; what is
    behind it is not told, and the verdict of every operation is the one of that directory.
    """

    guid: FileGuid
    user_id: UserId
    operations: Sequence[tuple[str, Verdict]]
    ancestors: Sequence[Passage]


Facts = Callable[[Chain], FileFacts]


def explained(
    chain: Chain,
    user_id: UserId,
    subject: Subject,
    facts: Facts,
    names: Sequence[str] | None,
    within_reach: Operation,
) -> Explanation:
    """Return what ``subject`` may do with a file.

    Args:
        facts: tells what decisions about a file go by.
        names: of the operations; by default all that there are for the type of the file.
        within_reach: the operations that the place of the file lets the token ask for.

    Raises: BadValueNotAllowed (``operation``).
    """
    ancestors = _ancestors(chain, subject, facts)
    stop = ancestors[-1].verdict if ancestors and not ancestors[-1].verdict.allowed else None
    is_hidden = stop is not None and subject.is_member
    known = ALL_NAMES if is_hidden else names_for(is_directory=chain.file.is_directory)
    if not subject.is_member:
        stop = _NOT_MEMBER
    found = []
    for name, operation in _asked(names, known).items():
        verdict = stop or _CONFINED
        if stop is None and not operation & ~within_reach:
            verdict = decide(subject, facts(chain), operation).of(chain.path)
        found.append((name, verdict))
    return Explanation(chain.guid, user_id, found, ancestors)


def _ancestors(chain: Chain, subject: Subject, facts: Facts) -> list[Passage]:
    """Ask each directory above from the top, until one may not be passed."""
    found = []
    for count in range(1, len(chain.nodes)):
        directory = Chain(chain.space_id, chain.nodes[:count])
        verdict = (
            _MEMBERS_PASS if directory.is_root else decide(subject, facts(directory), Operation.TRAVERSE)
        )
        if not subject.is_member:
            verdict = _NOT_MEMBER
        found.append(Passage(directory.guid, directory.path, verdict.of(directory.path)))
        if not verdict.allowed:
            break
    return found


def _asked(names: Sequence[str] | None, known: Mapping[str, Operation]) -> Mapping[str, Operation]:
    if names is None:
        return known
    if any(name not in known for name in names):
        raise BadValueNotAllowed("operation", list(known))
    return {name: known[name] for name in names}


def refused_elsewhere(explanation: Explanation, refusals: Mapping[str, Verdict]) -> Explanation:
    """Return the explanation for a file of which another name stands against some operations."""
    operations = [
        (name, refusals[name] if name in refusals and verdict.allowed else verdict)
        for name, verdict in explanation.operations
    ]
    return evolve(explanation, operations=operations)

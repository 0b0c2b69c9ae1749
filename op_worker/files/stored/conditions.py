"""Conditions on the content or the whole state of a file under which it is sent or changed. Pure.

The order of evaluation is that of RFC 9110, section 13.2.2. The file service decides a condition on the
documents that its commit then demands to be unchanged, so it holds at the commit and not only before.
"""

from __future__ import annotations

from attrs import frozen

from onedata.errors import PreconditionNotMet
from op_worker.files.model import FileStat


@frozen
class Tags:
    """Contents by their ``FileStat.content_tag``, or states by their ``state_tag``.

    ``is_any`` stands for whatever content there is.
    """

    names: frozenset[str] = frozenset()
    is_any: bool = False

    def has(self, tag: str | None) -> bool:
        """Whether there is a file, and this is its tag."""
        return tag is not None and (self.is_any or tag in self.names)


ANY = Tags(is_any=True)


@frozen(kw_only=True)
class ContentCondition:
    """What must hold for an operation; a part that is ``None`` asks nothing.

    Attributes:
        match: the content must be one of these.
        unmodified_since_s: used without ``match``: the content must not be newer, in whole seconds.
        none_match: there must be no file, or its content must be none of these; ``ANY`` is create only.
        of_state: tags and time are those of the whole state, attributes included, instead of the content.
    """

    match: Tags | None = None
    unmodified_since_s: int | None = None
    none_match: Tags | None = None
    of_state: bool = False

    def is_held_back(self, stat: FileStat | None) -> bool:
        """Whether a content that was expected is not there."""
        if self.match is not None:
            return not self.match.has(self._tag(stat))
        if self.unmodified_since_s is not None and stat is not None:
            return self.modified_s(stat) > self.unmodified_since_s
        return False

    def is_known(self, stat: FileStat | None) -> bool:
        """Whether the content is one that was not to be there."""
        return self.none_match is not None and self.none_match.has(self._tag(stat))

    def modified_s(self, stat: FileStat) -> int:
        """Return when that which the condition is about changed last, in whole seconds."""
        return changed_s(stat) if self.of_state else modified_s(stat)

    def _tag(self, stat: FileStat | None) -> str | None:
        if stat is None:
            return None
        return stat.state_tag if self.of_state else stat.content_tag

    def require(self, stat: FileStat | None) -> None:
        """Return when a change of this file may be made. Raises: PreconditionNotMet."""
        if self.is_held_back(stat) or self.is_known(stat):
            raise PreconditionNotMet()


NO_CONDITION = ContentCondition()
CREATE_ONLY = ContentCondition(none_match=ANY)


def modified_s(stat: FileStat) -> int:
    """Return when the content changed last, in whole seconds, as HTTP tells it."""
    return int(stat.mtime_s // 1)


def changed_s(stat: FileStat) -> int:
    """Return when the content or an attribute changed last, in whole seconds, as HTTP tells it."""
    return int(max(stat.mtime_s, stat.ctime_s) // 1)

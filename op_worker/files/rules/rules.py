"""All that rules a file, of its own and from directories above; wishes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from op_worker.files.rules.retention import Immutability

Wish = str | Sequence[str]
"""What is wished under one name."""


@frozen
class Rules:
    """What rules a file, as it is shown.

    Attributes:
        own: what was set on the file.
        above: what was set on directories above, the nearest last.
        wishes: by name; those of directories above hold unless the file has its own.
    """

    own: Immutability | None = None
    above: tuple[Immutability, ...] = ()
    wishes: Mapping[str, Wish] = field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return self.own is None and not self.above and not self.wishes

    @property
    def all_kept(self) -> tuple[Immutability, ...]:
        """What keeps the file, its own last."""
        return self.above if self.own is None else (*self.above, self.own)

    @property
    def holds(self) -> list[str]:
        """Every hold on the file, in order."""
        return sorted({hold for one in self.all_kept for hold in one.holds})

    def below(self, own: Immutability | None, wishes: Mapping[str, Wish]) -> Rules:
        """Return the rules of a file with these of its own, in a directory with the present ones."""
        return Rules(own, self.all_kept, {**self.wishes, **wishes} if wishes else self.wishes)


NO_RULES = Rules()


def changed_wishes(present: Mapping[str, Wish], change: Mapping[str, Wish | None]) -> Mapping[str, Wish]:
    """Return wishes after a change that names some of them; ``None`` removes."""
    return {name: wish for name, wish in {**present, **change}.items() if wish is not None}

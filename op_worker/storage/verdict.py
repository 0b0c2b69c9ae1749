"""Whether a storage is fit for use, as the last check found it."""

from __future__ import annotations

from attrs import define


@define
class Verdict:
    """``problem`` is what keeps the storage from being used, in its own words; empty when nothing does."""

    problem: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.problem

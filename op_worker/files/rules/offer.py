"""What a provider does for every file, as far as users can wish for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen
from iso3166 import countries as known_countries

from onedata.errors import BadData, Errno, Posix
from op_worker.files.rules.rules import Wish

REDUNDANCY = "cdmi_data_redundancy"
IMMEDIATE = "cdmi_immediate_redundancy"
PLACEMENT = "cdmi_geographic_placement"
VALUE_HASH = "cdmi_value_hash"
HASHES = ("SHA256",)
_ANYWHERE, _NOT = "*", "!"


@frozen(kw_only=True)
class Offer:
    """What is offered.

    Attributes:
        countries: ISO 3166-1 alpha-2 codes of where files may lie; none when the operator has not said.
        copies: how many whole copies of a file there are.
    """

    countries: tuple[str, ...] = ()
    copies: int = 1

    def require(self, wishes: Mapping[str, Wish | None]) -> None:
        """Return when none of new wishes is against what is offered.

        Raises:
            BadData: of the item, for a placement where nobody knows where files lie.
            Posix: EPERM for a placement that forbids where they lie.
        """
        wanted = wishes.get(PLACEMENT)
        if wanted is None:
            return
        if not self.countries:
            raise BadData(PLACEMENT, "the operator has not said where files lie")
        refused = [country for country in self.countries if not is_allowed(country, wanted)]
        if refused:
            raise Posix(Errno.EPERM, reason=f"{PLACEMENT}: files lie in {', '.join(refused)}, too")

    def provided(self, wishes: Mapping[str, Wish]) -> dict[str, Wish]:
        """Return what there is of what is wished, by the names of the wishes."""
        found: dict[str, Wish] = {}
        if REDUNDANCY in wishes:
            found[REDUNDANCY] = str(self.copies)
        if IMMEDIATE in wishes:
            found[IMMEDIATE] = "true" if self.copies >= _wished_copies(wishes) else "false"
        if PLACEMENT in wishes and self.countries:
            found[PLACEMENT] = self.countries
        if VALUE_HASH in wishes:
            found[VALUE_HASH] = HASHES[0]
        return found


def is_country(code: str) -> bool:
    """Whether a code is one of ISO 3166-1 alpha-2, or of a part of such a country (ISO 3166-2)."""
    country, dash, part = code.partition("-")
    is_part = part.isascii() and part.isalnum() and 1 <= len(part) <= 3 and part == part.upper()
    is_known = len(country) == 2 and country == country.upper() and country in known_countries
    return is_known and (is_part if dash else not part)


def is_allowed(country: str, placement: Wish) -> bool:
    """Whether a placement allows the whole of a country.

    ``!CODE`` forbids it, also when the code is of a part of it; otherwise it has to be named, or ``*``,
    unless nothing but what is forbidden is named.
    """
    codes = [placement] if isinstance(placement, str) else placement
    forbidden = [code.removeprefix(_NOT) for code in codes if code.startswith(_NOT)]
    named = [code for code in codes if not code.startswith(_NOT)]
    if any(code.partition("-")[0] == country for code in forbidden):
        return False
    return not named or country in named or _ANYWHERE in named


def check_placement(codes: Sequence[str]) -> None:
    """Raise BadData(``cdmi_geographic_placement``) for what is no list of codes, ``!CODE`` and ``*``."""
    wrong = [code for code in codes if code != _ANYWHERE and not is_country(code.removeprefix(_NOT))]
    if not codes or wrong:
        example = f"; {wrong[0][:32]!r} is none" if wrong else ""
        raise BadData(PLACEMENT, f"an array of ISO 3166 codes such as PL, !US or *{example}")


def _wished_copies(wishes: Mapping[str, Wish]) -> int:
    wished = wishes.get(REDUNDANCY)
    return int(wished) if isinstance(wished, str) else 1

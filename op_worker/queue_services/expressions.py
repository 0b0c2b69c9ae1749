"""Matching expressions of scope specifications: an operator with a constant, asked of one text. Pure.

Clause 18.3 of CDMI 1.1.1. Regular expressions run in an engine whose time grows linearly with the text, so
none can hang a node.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import re2
from attrs import field, frozen

from onedata.errors import BadData

KEY = "cdmi_scope_specification"
MAX_CONSTANT = 4096
"""The most characters of a constant."""
MAX_REGEX = 256
_REGEX_MEMORY_B = 1 << 20
_NUMBER = re.compile(r"[+-]?(\d{1,64}(\.\d{0,64})?|\.\d{1,64})([eE][+-]?\d{1,4})?", re.ASCII)


class Operator(StrEnum):
    """What an expression asks; the value is how it is written."""

    EXISTS = "*"
    IS_MISSING = "!*"
    EQUAL = "=="
    UNEQUAL = "!="
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    LESS = "<"
    NUMBER_EQUAL = "#=="
    NUMBER_UNEQUAL = "#!="
    NUMBER_GREATER_OR_EQUAL = "#>="
    NUMBER_LESS_OR_EQUAL = "#<="
    NUMBER_GREATER = "#>"
    NUMBER_LESS = "#<"
    STARTS = "starts"
    STARTS_NOT = "!starts"
    ENDS = "ends"
    ENDS_NOT = "!ends"
    CONTAINS = "contains"
    CONTAINS_NOT = "!contains"
    TAG = "tag"
    TAG_NOT = "!tag"
    REGEX = "=~"
    REGEX_NOT = "!~"


_BARE = (Operator.EXISTS, Operator.IS_MISSING)
_LONGEST_FIRST = sorted(Operator, key=lambda operator: -len(operator.value))
_NEGATIONS = {
    Operator.UNEQUAL: Operator.EQUAL,
    Operator.NUMBER_UNEQUAL: Operator.NUMBER_EQUAL,
    Operator.STARTS_NOT: Operator.STARTS,
    Operator.ENDS_NOT: Operator.ENDS,
    Operator.CONTAINS_NOT: Operator.CONTAINS,
    Operator.TAG_NOT: Operator.TAG,
    Operator.REGEX_NOT: Operator.REGEX,
}
FROM_THE_START = frozenset(
    {
        *(Operator.EQUAL, Operator.STARTS),
        *(Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL),
    }
)
"""Operators whose constant is the beginning of a text, or the whole of it."""


@frozen
class Expression:
    """An operator without its negation, the constant as it is used, and whether the answer is turned round.

    ``subject`` is the text, the number, the tag or the compiled regular expression to compare with.
    """

    operator: Operator
    subject: Any = field(eq=False)
    constant: str
    is_negated: bool = False

    def holds(self, forms: Sequence[str]) -> bool:
        """Whether this holds of a value that is there, given all the ways to write it.

        What is no number answers no numeric question, not even in the negative.
        """
        if self.operator in _BARE:
            return (self.operator is Operator.EXISTS) is not self.is_negated
        if self.operator in _NUMERIC:
            numbers = [number for number in map(number_of, forms) if number is not None]
            if not numbers:
                return False
            return any(_NUMERIC[self.operator](one, self.subject) for one in numbers) is not self.is_negated
        return any(_TEXTUAL[self.operator](form, self.subject) for form in forms) is not self.is_negated

    @property
    def holds_of_nothing(self) -> bool:
        """Whether this holds where there is no such member."""
        return self.operator is Operator.IS_MISSING


def parse_expression(text: str) -> Expression:
    """Return the expression that a text is. Raises: BadData (``cdmi_scope_specification``)."""
    operator = next((one for one in _LONGEST_FIRST if text.startswith(one.value)), None)
    if operator is None:
        raise BadData(KEY, "an expression begins with an operator")
    rest = text[len(operator.value) :]
    if operator in _BARE:
        if rest:
            raise BadData(KEY, f"nothing follows the operator {operator.value}")
        return Expression(operator, None, "")
    if operator.value[-1].isalpha() and not rest.startswith(" "):
        raise BadData(KEY, f"a blank follows the operator {operator.value}")
    constant = rest.removeprefix(" ")
    if len(constant) > MAX_CONSTANT:
        raise BadData(KEY, f"a constant may have up to {MAX_CONSTANT} characters")
    plain = _NEGATIONS.get(operator, operator)
    return Expression(plain, _subject(plain, constant), constant, is_negated=plain is not operator)


def number_of(text: str) -> Decimal | None:
    """Return the number that a text is; ``None`` when it is none, or one of absurd length."""
    return Decimal(text) if _NUMBER.fullmatch(text.strip(" ")) else None


def tags_of(text: str) -> set[str]:
    """Return the tags in a text: separated by commas, trimmed, without regard to case."""
    return {tag.strip().casefold() for tag in text.split(",")}


def _subject(operator: Operator, constant: str) -> object:
    if operator in _NUMERIC:
        number = number_of(constant)
        if number is None:
            raise BadData(KEY, f"{operator.value} compares with a number")
        return number
    if operator is Operator.TAG:
        return constant.strip().casefold()
    return _compiled(constant) if operator is Operator.REGEX else constant


def _compiled(pattern: str) -> Any:
    if len(pattern) > MAX_REGEX:
        raise BadData(KEY, f"a regular expression may have up to {MAX_REGEX} characters")
    options = re2.Options()
    options.posix_syntax = options.one_line = options.dot_nl = options.never_capture = True
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY_B
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise BadData(KEY, "not a POSIX extended regular expression, or too large a one") from None


_NUMERIC: dict[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.NUMBER_EQUAL: lambda value, constant: value == constant,
    Operator.NUMBER_GREATER: lambda value, constant: value > constant,
    Operator.NUMBER_GREATER_OR_EQUAL: lambda value, constant: value >= constant,
    Operator.NUMBER_LESS: lambda value, constant: value < constant,
    Operator.NUMBER_LESS_OR_EQUAL: lambda value, constant: value <= constant,
}
_TEXTUAL: dict[Operator, Callable[[str, Any], bool]] = {
    Operator.EQUAL: lambda text, constant: text == constant,
    Operator.GREATER: lambda text, constant: text > constant,
    Operator.GREATER_OR_EQUAL: lambda text, constant: text >= constant,
    Operator.LESS: lambda text, constant: text < constant,
    Operator.LESS_OR_EQUAL: lambda text, constant: text <= constant,
    Operator.STARTS: lambda text, constant: text.startswith(constant),
    Operator.ENDS: lambda text, constant: text.endswith(constant),
    Operator.CONTAINS: lambda text, constant: constant in text,
    Operator.TAG: lambda text, constant: constant in tags_of(text),
    Operator.REGEX: lambda text, pattern: pattern.search(text) is not None,
}

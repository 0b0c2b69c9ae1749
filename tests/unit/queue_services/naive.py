"""Scopes evaluated the slow and obvious way, straight from the JSON, to compare the evaluator with."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

ABSENT = object()
WORDS = ("starts", "ends", "contains", "tag")
SIGNS = ("==", "!=", ">=", "<=", ">", "<")


def naive_match(scope: list[Any], members: Any) -> bool:
    return scope == [] or any(object_fits(one, members) for one in scope)


def object_fits(wanted: dict[str, Any], value: Any) -> bool:
    there = value if isinstance(value, dict) else {}
    return all(value_fits(one, there.get(name, ABSENT)) for name, one in wanted.items())


def value_fits(wanted: Any, value: Any) -> bool:
    for one in wanted if isinstance(wanted, list) else [wanted]:
        elements = value if isinstance(value, list) else [value]
        if isinstance(one, dict):
            if not any(object_fits(one, element) for element in elements):
                return False
        elif one == "*":
            if value is ABSENT:
                return False
        elif one == "!*":
            if value is not ABSENT:
                return False
        elif value is ABSENT or not any(text_fits(one, as_text(e)) for e in elements):
            return False
    return True


def as_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def text_fits(expression: str, text: Any) -> bool:
    if text is None:
        return False
    for word in WORDS:
        for sign in ("", "!"):
            if expression.startswith(f"{sign}{word} "):
                return ask_word(word, text, expression[len(sign + word) + 1 :]) is not bool(sign)
    if expression[:2] in ("=~", "!~"):
        found = re.search(constant_of(expression, 2), text, re.DOTALL) is not None
        return found is (expression[0] == "=")
    if expression.startswith("#"):
        sign = next(one for one in SIGNS if expression[1:].startswith(one))
        number = as_number(text)
        constant = as_number(constant_of(expression, 1 + len(sign)))
        return number is not None and constant is not None and compare(sign, number, constant)
    sign = next(one for one in SIGNS if expression.startswith(one))
    return compare(sign, text, constant_of(expression, len(sign)))


def constant_of(expression: str, after: int) -> str:
    rest = expression[after:]
    return rest[1:] if rest[:1] == " " else rest


def as_number(text: str) -> Fraction | None:
    try:
        return Fraction(text) if "/" not in text else None
    except ValueError:
        return None


def ask_word(word: str, text: str, constant: str) -> bool:
    if word == "starts":
        return text[: len(constant)] == constant
    if word == "ends":
        return constant == "" or text[-len(constant) :] == constant
    if word == "contains":
        return text.find(constant) >= 0
    return any(tag.strip().casefold() == constant.strip().casefold() for tag in text.split(","))


def compare(sign: str, left: Any, right: Any) -> bool:
    answers: dict[str, bool] = {
        "==": left == right,
        "!=": left != right,
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
    }
    return answers[sign]

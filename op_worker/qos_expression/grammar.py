"""The language of expressions: text → ``syntax.Expression``. ``docs/placement.md`` shows it. Pure."""

from __future__ import annotations

import re

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from onedata.errors import InvalidQosExpression
from op_worker.qos_expression.syntax import AnyStorage, Comparison, Expression, Join, Joined, Relation

MAX_LENGTH = 4096
MAX_OPERANDS = 100

GRAMMAR = r"""
?expression: operand | expression JOIN operand -> joined
?operand: WORD                                 -> anything
        | WORD RELATION WORD                   -> comparison
        | "(" expression ")"

JOIN: "&" | "|" | "\\"
RELATION: "<=" | ">=" | "<" | ">" | "="
WORD: /[+-]?\d+(\.\d*)?([eE][+-]?\d+)?(?![ \t-]*[\w.])|[\w.]+([ \t-]+[\w.]+)*/
%ignore /[ \t\r\n]+/
"""
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\Z")
_WORDS = {
    "JOIN": "one of & | \\",
    "RELATION": "one of = < <= > >=",
    "WORD": "a name or a value",
    "LPAR": "(",
    "RPAR": ")",
    "$END": "the end",
}


def parse_expression(text: str) -> Expression:
    """Return what an expression says; double quotes in it do not count.

    Raises:
        InvalidQosExpression: the reason says where it stops making sense.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidQosExpression(f"it is longer than {MAX_LENGTH} characters")
    plain = text.replace('"', "")
    if len(re.findall(r"[&|\\]", plain)) >= MAX_OPERANDS:
        raise InvalidQosExpression(f"it has more than {MAX_OPERANDS} operands")
    try:
        return _Making().transform(_PARSER.parse(plain))
    except UnexpectedInput as error:
        raise InvalidQosExpression(_explain(error, plain)) from None
    except VisitError as error:
        raise InvalidQosExpression(str(error.orig_exc)) from None


class _RefusedError(Exception):
    """What is wrong with a part that is well formed."""


@v_args(inline=True)
class _Making(Transformer[Token, Expression]):
    """Makes values of what the parser recognised."""

    def anything(self, word: Token) -> Expression:
        if word != "anyStorage":
            raise _RefusedError(f"{str(word)!r} is compared with nothing")
        return AnyStorage()

    def comparison(self, key: Token, relation: Token, value: Token) -> Expression:
        is_number = _NUMBER.match(value) is not None
        if relation != Relation.EQ and not is_number:
            raise _RefusedError(f"{str(value)!r} is no number")
        return Comparison(str(key), Relation(str(relation)), float(value) if is_number else str(value))

    def joined(self, left: Expression, join: Token, right: Expression) -> Expression:
        return Joined(left, Join(str(join)), right)


def _explain(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        at, expected = error.pos_in_stream or 0, error.allowed
        found = repr(text[at : at + 10])
    else:
        assert isinstance(error, UnexpectedToken), "the other kind of bad input"
        is_end = error.token.type == "$END"
        at, expected = (len(text) if is_end else error.token.start_pos or 0), error.expected
        found = "the end" if is_end else repr(str(error.token)[:20])
    words = sorted(_WORDS.get(name, name.lower()) for name in expected or ())
    return f"at character {at + 1}: found {found}, expected {' or '.join(words)}"


_PARSER = Lark(GRAMMAR, start="expression", parser="lalr", maybe_placeholders=False)

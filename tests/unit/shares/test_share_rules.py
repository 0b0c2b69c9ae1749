"""What a share may be called and promised."""

from __future__ import annotations

import pytest

from onedata.errors import BadValueName, BadValuePassword, BadValueTextTooLarge, BadValueTooLow
from op_worker.shares.rules import (
    LONGEST_DESCRIPTION,
    check_description,
    check_end,
    check_name,
    check_password,
)


@pytest.mark.parametrize("name", ["ab", "Zażółć gęślą", "(a) b-c.d_e)", "x" * 128, "数据"])
def test_names_of_letters_digits_and_a_few_signs_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["a", "x" * 129, " ab", "ab ", "-ab", "a/b", "a\nb", "ab\n", "a<b>c", "."])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(BadValueName):
        check_name(name)


def test_a_description_may_be_long_but_not_endless() -> None:
    assert check_description("x" * LONGEST_DESCRIPTION)
    with pytest.raises(BadValueTextTooLarge):
        check_description("x" * (LONGEST_DESCRIPTION + 1))


def test_an_end_lies_ahead_or_never_comes() -> None:
    assert check_end(0, 1000.5) is None
    assert check_end(1001, 1000.5) == 1001
    with pytest.raises(BadValueTooLow) as caught:
        check_end(1000, 1000.5)
    assert caught.value.limit == 1001


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_passwords_that_are_too_short_or_too_long_are_refused(password: str) -> None:
    with pytest.raises(BadValuePassword):
        check_password(password)
    assert check_password("x" * 8)

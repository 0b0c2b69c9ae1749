"""Patterns of paths: what they match, what they rule out early, and which are refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData
from op_worker.glob import EVERYTHING, MAX_CHARS, MAX_COMPONENTS, Glob, Span

MEANING: Mapping[str, Callable[[str], bool]] = {
    "a": lambda char: char == "a",
    "b": lambda char: char == "b",
    "?": lambda _: True,
    "[ab]": lambda char: char in "ab",
    "[!a]": lambda char: char != "a",
    "[a-c]": lambda char: "a" <= char <= "c",
    "[]a]": lambda char: char in "]a",
    "[*]": lambda char: char == "*",
}
Component = tuple[str, ...]

components = (
    st.lists(st.sampled_from(["*", *MEANING]), min_size=1, max_size=4)
    .map(tuple)
    .filter(lambda pieces: ("*", "*") not in itertools.pairwise(pieces))
)
patterns = st.lists(st.one_of(st.just(("**",)), components), min_size=1, max_size=4)
names = st.text("abc*]é", min_size=1, max_size=3)
paths = st.lists(names, min_size=1, max_size=4).map(tuple)


def fits(pieces: Component, name: str) -> bool:
    """Whether a name matches a component, by trying everything."""
    if not pieces:
        return not name
    if pieces[0] == "*":
        return any(fits(pieces[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and MEANING[pieces[0]](name[0]) and fits(pieces[1:], name[1:])


def leads(pattern: Sequence[Component], path: tuple[str, ...]) -> bool:
    """Whether a path matches a pattern, by trying everything."""
    if not pattern:
        return not path
    if pattern[0] != ("**",):
        return bool(path) and fits(pattern[0], path[0]) and leads(pattern[1:], path[1:])
    if len(pattern) == 1:
        return bool(path)
    return any(leads(pattern[1:], path[at:]) for at in range(len(path) + 1))


def matches(glob: Glob, path: tuple[str, ...]) -> bool:
    """Match a whole path, demanding that what is ruled out on the way is ruled out rightly."""
    places = glob.start
    allowed = True
    for name in path:
        span = glob.span(places)
        allowed = allowed and span is not None and span.admits(name)
        places = glob.after(places, name)
    if glob.is_match(places):
        assert allowed, "a path was ruled out before its end"
    return glob.is_match(places)


@given(patterns, paths)
def test_a_path_matches_when_trying_everything_finds_a_way(
    pattern: list[Component], path: tuple[str, ...]
) -> None:
    glob = Glob.parse("/".join("".join(pieces) for pieces in pattern))
    assert matches(glob, path) == leads(pattern, path)


@given(paths)
def test_two_stars_match_everything(path: tuple[str, ...]) -> None:
    assert matches(EVERYTHING, path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "d/a.txt", False),
        ("*.txt", ".txt", True),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "d/e/a.txt", True),
        ("d/**", "d", False),
        ("d/**", "d/e/f", True),
        ("d/**/f", "d/f", True),
        ("**/**/f", "f", True),
        ("d/**/e/**/f", "d/e/x/e/f", True),
        ("run-[0-9][0-9]", "run-42", True),
        ("run-[!0-9]", "run-4", False),
        ("[[]x]", "[x]", True),
        ("[]]", "]", True),
        ("[a-]", "-", True),
        ("?", "ż", True),
        ("?", "\n", True),
        ("A", "a", False),
        ("a\\*", "a\\b", True),
        ("(a|b)+$", "(a|b)+$", True),
    ],
)
def test_examples_of_the_documentation_hold(pattern: str, path: str, expected: bool) -> None:
    assert matches(Glob.parse(pattern), tuple(path.split("/"))) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "/a", "a/", "a//b", "a/../b", ".", "a**", "**b", "***", "[a", "[]", "[!]", "a[b/c]", "[z-a]"),
        *("a\0", "a" * (MAX_CHARS + 1), "/".join("a" * (MAX_COMPONENTS + 1))),
    ],
)
def test_bad_patterns_are_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(BadData) as refused:
        Glob.parse(pattern)
    assert refused.value.key == "glob"
    assert refused.value.hint


def test_plain_text_narrows_what_is_read() -> None:
    glob = Glob.parse("runs/2024-*/**")
    places = glob.start
    assert glob.span(places) == Span("runs", is_exact=True)
    places = glob.after(places, "runs")
    assert glob.span(places) == Span("2024-")
    assert glob.span(glob.after(places, "2025-01")) is None
    assert glob.span(glob.after(places, "2024-01")) == Span()
    one_level = Glob.parse("*")
    assert one_level.span(one_level.after(one_level.start, "a")) is None


def test_spans_meet_prefixes() -> None:
    assert Span("run").within("") == Span("run")
    assert Span("run").within("run-") == Span("run-")
    assert Span("run", is_exact=True).within("ru") == Span("run", is_exact=True)
    assert Span("run", is_exact=True).within("run-") is None
    assert Span("a").within("b") is None


def test_a_pattern_of_many_stars_does_not_take_forever() -> None:
    glob = Glob.parse("*a" * 250 + "/" + "**/*b*/" * 30 + "c")
    assert not matches(glob, ("a" * 255, *("b" * 60,) * 40, "d"))
    assert not matches(Glob.parse("*a" * 250 + "c"), ("a" * 255,))

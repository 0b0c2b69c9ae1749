"""GRIs and the patterns that match them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadGRI
from onedata.gri import Gri, GriPattern, Scope

WORDS = st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True)
IDS = st.from_regex(r"[A-Za-z0-9_@-]{1,12}", fullmatch=True).filter(lambda text: text != "null")
GRIS = st.builds(Gri, WORDS, st.none() | IDS, WORDS, st.none() | IDS, st.sampled_from(Scope))


@given(GRIS)
def test_gri_survives_writing_and_reading(gri: Gri) -> None:
    assert Gri.parse(gri.text) == gri


@given(GRIS)
def test_gri_matches_itself_and_the_widest_pattern(gri: Gri) -> None:
    assert GriPattern.parse(gri.text).matches(gri)
    assert GriPattern.parse("*.*.*:*").matches(gri)
    assert GriPattern.parse(GriPattern.parse("*.*.*:*").text).matches(gri)


def test_scope_left_out_of_a_gri_means_private() -> None:
    assert Gri.parse("space.s1.instance") == Gri("space", "s1", "instance", scope=Scope.PRIVATE)
    assert GriPattern.parse("space.*.instance").text == "space.*.instance:private"


def test_null_in_a_gri_means_no_entity_yet() -> None:
    assert Gri.parse("space.null.list:private").id is None
    assert GriPattern.parse("space.null.list:*").matches(Gri("space", None, "list"))
    assert not GriPattern.parse("space.null.list:*").matches(Gri("space", "s1", "list"))


@pytest.mark.parametrize(
    ("pattern", "gri", "matches"),
    [
        ("space.*.instance:*", "space.s1.instance:protected", True),
        ("space.*.instance:private", "space.s1.instance:protected", False),
        ("space.s2.instance:*", "space.s1.instance:private", False),
        ("group.*.instance:*", "space.s1.instance:private", False),
        ("space.*.user,*:*", "space.s1.user,u1:private", True),
        ("space.*.user,u1:*", "space.s1.user,u2:private", False),
        ("space.*.*,u1:*", "space.s1.user,u1:private", True),
        ("space.*.*,u1:*", "space.s1.user:private", False),
        ("space.*.user:*", "space.s1.user,u1:private", False),
        ("space.*.*:*", "space.s1.user,u1:private", True),
    ],
)
def test_patterns_match_what_their_stars_cover(pattern: str, gri: str, matches: bool) -> None:
    assert GriPattern.parse(pattern).matches(Gri.parse(gri)) is matches


@given(st.text(max_size=40) | st.text("ab.*,:null ", max_size=20))
def test_any_text_is_a_gri_or_refused(text: str) -> None:
    for parse in (Gri.parse, GriPattern.parse):
        try:
            parse(text)
        except BadGRI:
            pass


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c:nowhere", "*.b.c", "a.*.c", "a.b.c.d", "a.b.c,d,e", "a.b.*"]
)
def test_texts_that_only_resemble_a_gri_are_refused(text: str) -> None:
    with pytest.raises(BadGRI):
        Gri.parse(text)

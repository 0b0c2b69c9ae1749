"""What data caveats leave reachable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.tokens.verify import NO_LIMITS, DataLimits
from op_worker.auth.limits import Reach, named_object_ids, reach, visible_names

PHOTOS = DataLimits(paths=(frozenset({"/s1/photos", "/s1/docs/a.txt"}),))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/s1/photos", Reach.ALLOWED),
        ("/s1/photos/2024/x.jpg", Reach.ALLOWED),
        ("/s1/docs/a.txt", Reach.ALLOWED),
        ("/s1/docs", Reach.ANCESTOR),
        ("/s1", Reach.ANCESTOR),
        ("/", Reach.ANCESTOR),
        ("/s1/photos2", Reach.DENIED),
        ("/s1/docs/b.txt", Reach.DENIED),
        ("/s2", Reach.DENIED),
    ],
)
def test_reach_follows_the_paths_of_one_caveat(path: str, expected: Reach) -> None:
    assert reach(PHOTOS, path) is expected


def test_without_caveats_everything_is_reachable() -> None:
    assert reach(NO_LIMITS, "/s1/any") is Reach.ALLOWED
    assert visible_names(NO_LIMITS, "/s1") is None


def test_every_caveat_has_to_agree() -> None:
    both = DataLimits(paths=(frozenset({"/s1/a"}), frozenset({"/s1/a/b"})))
    assert reach(both, "/s1/a/b/c") is Reach.ALLOWED
    assert reach(both, "/s1/a") is Reach.ANCESTOR
    assert reach(both, "/s1/a/x") is Reach.DENIED


def test_object_ids_count_as_the_paths_they_have_now() -> None:
    limits = DataLimits(object_ids=(frozenset({"AA", "GONE"}),))
    assert named_object_ids(limits) == {"AA", "GONE"}
    paths = {"AA": "/s1/d"}
    assert reach(limits, "/s1/d/f", paths) is Reach.ALLOWED
    assert reach(limits, "/s1", paths) is Reach.ANCESTOR
    assert reach(limits, "/s1/e", paths) is Reach.DENIED


def test_object_id_without_path_allows_nothing() -> None:
    assert reach(DataLimits(object_ids=(frozenset({"GONE"}),)), "/s1") is Reach.DENIED


def test_listing_shows_only_names_on_the_way() -> None:
    assert visible_names(PHOTOS, "/s1") == frozenset({"photos", "docs"})
    assert visible_names(PHOTOS, "/s1/docs") == frozenset({"a.txt"})
    assert visible_names(PHOTOS, "/") == frozenset({"s1"})
    assert visible_names(PHOTOS, "/s1/photos") is None


def test_listing_under_two_caveats_shows_what_both_allow() -> None:
    both = DataLimits(paths=(frozenset({"/s1/a", "/s1/b"}), frozenset({"/s1/b", "/s1/c"})))
    assert visible_names(both, "/s1") == frozenset({"b"})


NAMES = st.sampled_from(["a", "b", "ab", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/s/" + "/".join(names))


@given(st.frozensets(PATHS, min_size=1, max_size=4), PATHS)
def test_child_shown_in_a_listing_is_never_denied(roots: frozenset[str], path: str) -> None:
    limits = DataLimits(paths=(roots,))
    if reach(limits, path) is Reach.ANCESTOR:
        shown = visible_names(limits, path)
        assert shown
        assert all(reach(limits, f"{path}/{name}") is not Reach.DENIED for name in shown)


@given(st.frozensets(PATHS, min_size=1, max_size=4), PATHS)
def test_below_an_allowed_file_everything_is_allowed(roots: frozenset[str], path: str) -> None:
    limits = DataLimits(paths=(roots,))
    if reach(limits, path) is Reach.ALLOWED:
        assert reach(limits, path + "/deeper") is Reach.ALLOWED

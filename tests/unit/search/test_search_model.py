"""Random queries over random files find what a naive evaluator finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from op_worker.search.compiling import Mark, Order, statement
from op_worker.search.grammar import parse_query
from op_worker.search.index import Index
from op_worker.search.schema import Indexed, field_rows
from op_worker.search.syntax import (
    And,
    Attribute,
    Comparison,
    Has,
    Instant,
    Not,
    Number,
    Operator,
    Or,
    Part,
    Query,
    Source,
)
from tests.unit.search.naive import MISSING, File, holds

ROOT = "root"
texts = st.text("aB*?[1.5\u017c", max_size=4)
keys = st.sampled_from(["a", "b", "1"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2**60, 1e300]), texts)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
names = st.text("ab1.[*", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))


@st.composite
def forests(draw: st.DrawFn) -> list[File]:
    """Files in a few directories, parents before children."""
    files: list[File] = []
    directories = [""]
    for number in range(draw(st.integers(0, 8))):
        path = f"{draw(st.sampled_from(directories))}/{draw(names)}"
        if any(file.path == path for file in files):
            continue
        is_directory = draw(st.booleans())
        document = draw(st.one_of(st.just(MISSING), values))
        files.append(
            File(
                f"u{number}",
                path,
                "DIR" if is_directory else "REG",
                None if is_directory else draw(st.integers(0, 3)),
                draw(st.sampled_from([0o644, 0o600])),
                draw(st.sampled_from(["x", "y"])),
                draw(st.integers(0, 3)),
                draw(st.dictionaries(keys, values, max_size=3)),
                document,
            )
        )
        if is_directory:
            directories.append(path)
    return files


numbers = st.one_of(st.integers(-3, 3), st.just(0.5)).map(lambda value: Number(float(value), str(value)))
ordering = st.sampled_from([each for each in Operator if each is not Operator.GLOB])
parts = st.builds(
    lambda source, first, more: Part(source, (first, *more)),
    st.sampled_from(Source),
    keys,
    st.lists(keys | st.integers(0, 2), max_size=2),
)
EQUAL = st.sampled_from([Operator.EQ, Operator.NE])


def attributes(*names: str) -> st.SearchStrategy[Attribute]:
    return st.sampled_from(names).map(Attribute)


comparisons: st.SearchStrategy[Any] = st.one_of(
    st.builds(Comparison, attributes("name", "path", "owner"), st.sampled_from(Operator), texts),
    st.builds(Comparison, attributes("path"), st.just(Operator.GLOB), texts.map(lambda text: f"/{text}*")),
    st.builds(Comparison, attributes("size"), ordering, numbers),
    st.builds(Comparison, attributes("mtime"), ordering, st.sampled_from([Instant(0.0), Instant(2.0)])),
    st.builds(
        Comparison, attributes("mode"), ordering, st.sampled_from([Number(644, "644"), Number(7, "7")])
    ),
    st.builds(Comparison, attributes("type"), EQUAL, st.sampled_from(["file", "directory"])),
    st.builds(Comparison, parts, st.sampled_from(Operator), texts),
    st.builds(Comparison, parts, ordering, numbers),
    st.builds(Comparison, parts, EQUAL, st.none() | st.booleans()),
    st.builds(Has, attributes("xattr", "json", "rdf", "size", "name") | parts),
)
queries: st.SearchStrategy[Query] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


def indexed(file: File, parents: dict[str, str]) -> Indexed:
    has_document = file.document is not MISSING
    times = (float(file.mtime), 0.0, 0.0, 0.0)
    parent = parents[file.path.rpartition("/")[0]]
    return Indexed(
        [("", parent, file.name)],
        (file.type, file.size, file.mode, file.owner, *times, bool(file.xattrs), has_document, False),
        field_rows(file.xattrs, file.document if has_document else None, has_document=has_document),
    )


def index_of(files: list[File]) -> Index:
    parents = {"": ROOT, **{file.path: file.uuid for file in files}}
    index = Index(None)
    index.apply(1, {file.uuid: indexed(file, parents) for file in files})
    return index


def paths_in(value: Any, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in a JSON value, itself included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [keys, *(path for key, inner in items for path in paths_in(inner, (*keys, key)))]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[File], list[Query]]:
    """Files, and queries that often speak of what is there, by names and values that are there."""
    files = draw(forests())
    there = [Part(Source.XATTR, path) for file in files for path in paths_in(dict(file.xattrs)) if path]
    documents = [file.document for file in files if file.document is not MISSING]
    there += [Part(Source.JSON, path) for document in documents for path in paths_in(document) if path]
    known: list[st.SearchStrategy[Any]] = [queries]
    if there:
        near = st.one_of(numbers, texts, st.none(), st.booleans(), st.just(Number(1.0, "1")))
        known.append(
            st.builds(Comparison, st.sampled_from(there), st.sampled_from(Operator), near).filter(is_allowed)
        )
    if files:
        name = st.sampled_from([file.name for file in files])
        pattern = st.tuples(name, st.integers(0, 2)).map(lambda pair: pair[0][: pair[1]] + "*")
        known.append(st.builds(Comparison, attributes("name"), st.just(Operator.GLOB), name | pattern))
    return files, draw(st.lists(st.one_of(known), min_size=1, max_size=5))


def is_allowed(query: Comparison) -> bool:
    """Whether the language has such a comparison."""
    if isinstance(query.value, str):
        return True
    is_word = query.value is None or isinstance(query.value, bool)
    return query.operator in ((Operator.EQ, Operator.NE) if is_word else set(Operator) - {Operator.GLOB})


@settings(max_examples=200, deadline=None)
@given(cases())
def test_the_index_finds_what_the_query_describes_and_nothing_else(
    case: tuple[list[File], list[Query]],
) -> None:
    files, asked = case
    index = index_of(files)
    for query in asked:
        made = statement(query, ROOT, Order.NAME, None, 100, descending=False)
        found = {uuid for _, uuid, _ in index.select(made, 5.0)}
        assert found == {file.uuid for file in files if holds(query, file)}, made.sql
    index.close()


def test_kinds_of_values_are_told_apart_and_brackets_are_plain() -> None:
    one = File("u", "/[a]", "REG", 1, 0o600, "o", 1, {"k": True, "t": "1"}, {"a": [1, True, None, "1"]})
    index = index_of([one])
    for text, expected in (
        ("xattr.k = 1", False),
        ("xattr.k = true", True),
        ('xattr.t = 1 and xattr.t = "1"', True),
        ("json.a[0] = true", False),
        ("json.a[1] = true and json.a[2] = null", True),
        ("json.a[3] = 1", False),
        ('name ~ "[a]"', True),
        ('path ~ "/[a]*"', True),
    ):
        made = statement(parse_query(text), ROOT, Order.NAME, None, 9, descending=False)
        assert (text, bool(index.select(made, 5.0))) == (text, expected)
        assert (text, holds(parse_query(text), one)) == (text, expected)


def test_brackets_in_the_names_of_directories_are_plain_too() -> None:
    names = ("/[a]", "/[a]/x", "/[a]/x/y")
    index = index_of([File(name, name, "DIR", None, 0o700, "o", 1, {}) for name in names])
    made = statement(parse_query('path ~ "/[a]/*y"'), ROOT, Order.NAME, None, 9, descending=False)
    assert [uuid for _, uuid, _ in index.select(made, 5.0)] == ["/[a]/x/y"]


@settings(max_examples=60, deadline=None)
@given(forests(), st.sampled_from(Order), st.booleans(), st.integers(1, 3))
def test_pages_go_on_where_the_last_one_ended_in_every_order(
    files: list[File], order: Order, descending: bool, limit: int
) -> None:
    index = index_of(files)
    everything = Not(Has(Attribute("rdf")))
    whole = index.select(statement(everything, ROOT, order, None, 100, descending=descending), 5.0)
    assert len(whole) == len(files)
    assert [value for value, _, _ in whole] == sorted((value for value, _, _ in whole), reverse=descending)
    pages: list[Any] = []
    after = None
    while page := index.select(statement(everything, ROOT, order, after, limit, descending=descending), 5.0):
        pages += page
        after = Mark(*page[-1])
    assert pages == whole
    index.close()

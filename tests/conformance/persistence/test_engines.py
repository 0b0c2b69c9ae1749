"""What every persistence engine does alike; each class at the end enrols one engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_twisted import blockon, ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock, deferLater

from cluster_worker.persistence.address import parse_address
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Change,
    Check,
    Delete,
    Document,
    Engine,
    Entry,
    Key,
    Link,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Scope,
    Seq,
    Step,
    Unlink,
)
from cluster_worker.persistence.leases import take
from cluster_worker.persistence.measured import MeasuredEngine, StoreMetrics
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from tests.support.embedded_engine import embedded_engine
from tests.support.redis_sets import PASSWORD, SENTINEL_PASSWORD, ClusterGroup, SentinelGroup

A, B, C, D = Key("a"), Key("b"), Key("c"), Key("d")
_numbers = itertools.count()
names = st.binary(max_size=12).map(lambda raw: raw.replace(b"\0", b"\x01"))


def new_scope() -> Scope:
    """Return a scope that no other test uses."""
    return Scope(f"scope-{next(_numbers)}")


async def refused(engine: Engine, scope: Scope, *steps: Step) -> PreconditionFailed:
    """Commit what must be refused, and return the refusal."""
    with pytest.raises(PreconditionFailed) as caught:
        await engine.commit(scope, Batch(steps))
    return caught.value


class EngineConformance:
    """The suite. Subclasses have a fixture ``engine`` and ``pass_time``."""

    @pytest.fixture()
    def scope(self) -> Scope:
        return new_scope()

    # documents

    @ensureDeferred
    async def test_put_document_is_read_back_with_revision_one(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"\x00\xff00123")]))
        assert await engine.get(scope, A, ["meta"]) == {"meta": Document(1, b"\x00\xff00123")}

    @ensureDeferred
    async def test_empty_data_is_a_document_too(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"")]))
        assert await engine.get_all(scope, A) == {"meta": Document(1, b"")}

    @ensureDeferred
    async def test_each_write_counts_the_revision_up(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"1")]))
        await engine.commit(scope, Batch([Put(A, "meta", b"2", expect=1)]))
        await engine.commit(scope, Batch([Put(A, "meta", b"3")]))
        assert (await engine.get_all(scope, A))["meta"] == Document(3, b"3")

    @ensureDeferred
    async def test_revisions_count_on_past_a_byte(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "up", b"b"), Put(C, "up", b"b", expect=0)]))
        for revision in range(1, 300):
            await engine.commit(scope, Batch([Put(A, "up", b"b"), Put(C, "up", b"b", expect=revision)]))
            assert (await refused(engine, scope, Put(A, "up", b"b", expect=revision))).found == revision + 1
            found = await engine.ancestors(scope, A, "up", ["up"])
            assert found == [(A, {"up": Document(revision + 1, b"b")}), (B, {})]
        assert await engine.get_many(scope, [A, C], ["up"]) == [{"up": Document(300, b"b")}] * 2
        assert len(await engine.get_many(scope, [A, C], ["up"], 0)) == 1
        assert len(await engine.get_many(scope, [A, C], ["up"], 1)) == 2
        await engine.commit(scope, Batch([Check(A, "up", 300), Delete(C, "up", expect=300)]))

    @ensureDeferred
    async def test_put_expecting_absence_creates_once_only(self, engine: Engine, scope: Scope) -> None:
        put = Put(A, "meta", b"x", expect=0)
        await engine.commit(scope, Batch([put]))
        failure = await refused(engine, scope, put)
        assert (failure.step, failure.found) == (put, 1)

    @ensureDeferred
    async def test_put_of_stale_revision_reports_the_present_one(self, engine: Engine, scope: Scope) -> None:
        for data in (b"1", b"2", b"3"):
            await engine.commit(scope, Batch([Put(A, "meta", data)]))
        assert (await refused(engine, scope, Put(A, "meta", b"4", expect=2))).found == 3
        assert (await refused(engine, scope, Put(B, "meta", b"4", expect=2))).found == 0

    @ensureDeferred
    async def test_deleted_field_leaves_the_others(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"m"), Put(A, "times", b"t")]))
        await engine.commit(scope, Batch([Delete(A, "meta", expect=1)]))
        assert await engine.get_all(scope, A) == {"times": Document(1, b"t")}

    @ensureDeferred
    async def test_delete_with_stale_revision_is_refused(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"m")]))
        step = Delete(A, "meta", expect=7)
        failure = await refused(engine, scope, step)
        assert (failure.step, failure.found) == (step, 1)

    @ensureDeferred
    async def test_delete_without_field_removes_all_fields(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"m"), Put(A, "times", b"t")]))
        await engine.commit(scope, Batch([Delete(A), Delete(B), Delete(B, "x")]))
        assert await engine.get_all(scope, A) == {}

    @ensureDeferred
    async def test_delete_of_whole_document_takes_no_revision(self, engine: Engine, scope: Scope) -> None:
        with pytest.raises(ValueError, match="expect"):
            await engine.commit(scope, Batch([Delete(A, None, expect=1)]))

    @ensureDeferred
    async def test_check_writes_nothing_and_reports_what_it_found(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "meta", b"m")]))
        await engine.commit(scope, Batch([Check(A, "meta", 1), Check(B, "meta", 0)]))
        step = Check(A, "meta", 0)
        failure = await refused(engine, scope, step)
        assert (failure.step, failure.found) == (step, 1)
        assert await engine.get_all(scope, A) == {"meta": Document(1, b"m")}

    @ensureDeferred
    async def test_get_many_keeps_the_order_of_keys(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "m", b"a"), Put(C, "m", b"c"), Put(C, "t", b"ct")]))
        found = await engine.get_many(scope, [C, B, A, C], ["t", "m"])
        c = {"m": Document(1, b"c"), "t": Document(1, b"ct")}
        assert found == [c, {}, {"m": Document(1, b"a")}, c]
        assert await engine.get_many(scope, [A, B], []) == [{}, {}]
        assert await engine.get_many(scope, [], ["m"]) == []

    @ensureDeferred
    async def test_get_many_ends_where_it_has_enough_bytes(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(
            scope, Batch([Put(A, "m", b"a" * 5), Put(A, "t", b"t" * 5), Put(C, "m", b"c" * 5)])
        )
        for most_b, shown in ((0, 1), (9, 1), (10, 3), (14, 3), (15, 4), (None, 4)):
            found = await engine.get_many(scope, [A, B, C, A], ["m", "t"], most_b)
            assert len(found) == shown, most_b
            assert found == (await engine.get_many(scope, [A, B, C, A], ["m", "t"]))[:shown]
        assert await engine.get_many(scope, [], ["m"], 0) == []

    @ensureDeferred
    async def test_get_returns_only_the_fields_that_exist(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "m", b"a")]))
        assert await engine.get(scope, A, ["x", "m", "y"]) == {"m": Document(1, b"a")}
        assert await engine.get(scope, A, []) == {}
        assert await engine.get(scope, B, ["m"]) == {}

    @ensureDeferred
    async def test_documents_of_a_mebibyte_are_kept_whole(self, engine: Engine, scope: Scope) -> None:
        data = bytes(range(256)) * 4096
        await engine.commit(scope, Batch([Put(A, "m", data)]))
        assert (await engine.get_many(scope, [A], ["m"]))[0]["m"].data == data
        assert (await engine.get_all(scope, A))["m"].data == data

    # directory entries

    @ensureDeferred
    async def test_link_makes_an_entry_that_lookup_finds(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(D, b"name", b"value/x")]))
        assert await engine.lookup(scope, D, b"name") == b"value/x"
        assert await engine.lookup(scope, D, b"nam") is None
        assert await engine.lookup(scope, D, b"name\x01") is None
        assert await engine.count(scope, D) == 1

    @ensureDeferred
    async def test_link_to_a_taken_name_reports_the_holder(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(D, b"n", b"1")]))
        for step in (Link(D, b"n", b"2"), Link(D, b"n", b"1"), Link(D, b"n", b"2", replaces=b"3")):
            failure = await refused(engine, scope, step)
            assert (failure.step, failure.found) == (step, b"1")

    @ensureDeferred
    async def test_pages_from_a_place_bring_documents_along(self, engine: Engine, scope: Scope) -> None:
        links = [Link(D, name, value) for name, value in ((b"a", b"A/D"), (b"b", b"none/R"), (b"c", b"C"))]
        await engine.commit(scope, Batch([*links, Put(A, "m", b"1"), Put(C, "m", b"3")]))
        page = await engine.page_from(scope, D, b"b", -1, 3, ["m", "t"])
        assert page == await engine.page(scope, D, None, 3, ["m", "t"])
        assert await engine.page_from(scope, D, None, 0, 0, ["m"]) == []
        assert await engine.page_from(scope, Key("nowhere"), b"b", 2, 9, ["m"]) == []

    @ensureDeferred
    async def test_link_replaces_the_value_it_names(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(D, b"n", b"1"), Link(D, b"free", b"9", replaces=b"8")]))
        await engine.commit(scope, Batch([Link(D, b"n", b"2", replaces=b"1")]))
        page = await engine.page(scope, D, None, 9, [])
        assert [one.entry for one in page] == [Entry(b"free", b"9"), Entry(b"n", b"2")]

    @ensureDeferred
    async def test_unlink_needs_the_value_that_stands_there(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(D, b"n", b"1")]))
        assert (await refused(engine, scope, Unlink(D, b"n", b"2"))).found == b"1"
        assert (await refused(engine, scope, Unlink(D, b"m", b"2"))).found is None
        await engine.commit(scope, Batch([Unlink(D, b"n", b"1")]))
        assert await engine.count(scope, D) == 0

    @ensureDeferred
    async def test_move_between_directories_is_one_commit(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(A, b"n", b"1"), Link(B, b"m", b"2")]))
        await engine.commit(scope, Batch([Unlink(A, b"n", b"1"), Link(B, b"m", b"1", replaces=b"2")]))
        assert (await engine.count(scope, A), await engine.lookup(scope, B, b"m")) == (0, b"1")

    @ensureDeferred
    async def test_require_empty_counts_what_is_in_the_way(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([RequireEmpty(D), Link(D, b"n", b"1"), Link(D, b"o", b"1")]))
        failure = await refused(engine, scope, RequireEmpty(D))
        assert (failure.step, failure.found) == (RequireEmpty(D), 2)

    @ensureDeferred
    async def test_name_linked_twice_in_a_batch_is_an_error(self, engine: Engine, scope: Scope) -> None:
        with pytest.raises(ValueError, match="twice"):
            await engine.commit(scope, Batch([Link(D, b"n", b"1"), Link(D, b"n", b"2")]))

    @pytest.mark.parametrize("step", [Link(D, b"a\0b", b"v"), Link(D, b"a", b"v\0"), Unlink(D, b"\0", b"v")])
    @ensureDeferred
    async def test_nul_in_an_entry_is_an_error(self, engine: Engine, scope: Scope, step: Step) -> None:
        with pytest.raises(ValueError, match="NUL"):
            await engine.commit(scope, Batch([step]))

    @pytest.mark.parametrize("bad", ["", "a}b", "{a"])
    @ensureDeferred
    async def test_scope_that_breaks_the_hash_tag_is_an_error(self, engine: Engine, bad: str) -> None:
        with pytest.raises(ValueError, match="scope"):
            await engine.get_all(Scope(bad), A)

    # all or nothing

    @pytest.mark.parametrize(
        "last",
        [
            Put(B, "m", b"x", expect=5),
            Delete(B, "m", expect=5),
            Check(B, "m", 5),
            Link(D, b"taken", b"other"),
            Unlink(D, b"missing", b"v"),
            RequireEmpty(D),
            Add("used", 10, limit=5),
        ],
    )
    @ensureDeferred
    async def test_nothing_is_applied_when_the_last_step_fails(
        self, engine: Engine, scope: Scope, last: Step
    ) -> None:
        first = Batch(
            [Put(A, "m", b"old"), Link(D, b"taken", b"v"), Link(D, b"x", b"v"), Add("used", 1)], [A]
        )
        await engine.commit(scope, first)
        steps: list[Step] = [
            Put(A, "m", b"new"),
            Delete(A),
            Link(D, b"y", b"v"),
            Unlink(D, b"x", b"v"),
            Add("used", 1),
            last,
        ]
        with pytest.raises(PreconditionFailed) as caught:
            await engine.commit(scope, Batch(steps, [A, B]))
        assert caught.value.step is last
        assert await engine.get_all(scope, A) == {"m": Document(1, b"old")}
        assert [one.entry.name for one in await engine.page(scope, D, None, 9, [])] == [b"taken", b"x"]
        assert await engine.counters(scope) == {"used": 1}
        assert await engine.changes(scope, Seq(0), 9) == [Change(Seq(1), A)]

    @ensureDeferred
    async def test_first_failing_step_is_the_one_reported(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [Check(A, "m", 0), Check(A, "m", 3), Check(A, "m", 4)]
        assert (await refused(engine, scope, *steps)).step is steps[1]

    @ensureDeferred
    async def test_steps_are_checked_against_the_state_before(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "m", b"1"), Check(A, "m", 0), Put(A, "m", b"2", expect=0)]))
        assert (await engine.get_all(scope, A))["m"] == Document(1, b"2")

    @ensureDeferred
    async def test_empty_batch_changes_nothing_at_all(self, engine: Engine, scope: Scope) -> None:
        assert (await engine.commit(scope, Batch([]))).seq == 0
        assert scope not in await engine.scopes()

    # the feed

    @ensureDeferred
    async def test_feed_numbers_have_no_gaps(self, engine: Engine, scope: Scope) -> None:
        seqs = [(await engine.commit(scope, Batch([], [Key(f"k{n}"), Key(f"l{n}")]))).seq for n in range(5)]
        assert seqs == [2, 4, 6, 8, 10]
        assert [change.seq for change in await engine.changes(scope, Seq(0), 99)] == list(range(1, 11))
        assert await engine.last_seq(scope) == 10

    @ensureDeferred
    async def test_announced_again_moves_to_the_new_number(self, engine: Engine, scope: Scope) -> None:
        for key in (A, B, A, C):
            await engine.commit(scope, Batch([Put(key, "m", b"")], [key]))
        assert await engine.changes(scope, Seq(0), 99) == [
            Change(Seq(2), B),
            Change(Seq(3), A),
            Change(Seq(4), C),
        ]
        assert await engine.changes(scope, Seq(2), 1) == [Change(Seq(3), A)]
        assert await engine.changes(scope, Seq(4), 9) == []
        assert await engine.changes(scope, Seq(0), 0) == []

    @ensureDeferred
    async def test_key_announced_twice_in_a_batch_counts_once(self, engine: Engine, scope: Scope) -> None:
        assert (await engine.commit(scope, Batch([], [A, B, A]))).seq == 2

    @ensureDeferred
    async def test_unannounced_commit_returns_the_present_number(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([], [A]))
        assert (await engine.commit(scope, Batch([Put(B, "m", b"")]))).seq == 1

    @ensureDeferred
    async def test_forgotten_entries_leave_the_feed_and_its_numbers_go_on(
        self, engine: Engine, scope: Scope
    ) -> None:
        await engine.commit(scope, Batch([], announce=[A, B, C, D]))
        await engine.forget(scope, [Change(Seq(1), A), Change(Seq(3), C), Change(Seq(3), Key("none"))])
        await engine.forget(scope, [])
        assert await engine.changes(scope, Seq(0), 9) == [Change(Seq(2), B), Change(Seq(4), D)]
        assert await engine.last_seq(scope) == 4
        await engine.commit(scope, Batch([], announce=[A]))
        assert await engine.changes(scope, Seq(2), 9) == [Change(Seq(4), D), Change(Seq(5), A)]

    @ensureDeferred
    async def test_an_entry_that_moved_on_is_not_forgotten(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([], announce=[A, B]))
        await engine.commit(scope, Batch([], announce=[A]))
        await engine.forget(scope, [Change(Seq(1), A), Change(Seq(9), B)])
        assert await engine.changes(scope, Seq(0), 9) == [Change(Seq(3), A)]

    @ensureDeferred
    async def test_scopes_with_a_feed_are_listed(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "m", b"")]))
        assert scope not in await engine.scopes()
        await engine.commit(scope, Batch([], [A]))
        assert scope in await engine.scopes()

    @ensureDeferred
    async def test_scopes_do_not_see_each_other(self, engine: Engine, scope: Scope) -> None:
        other = new_scope()
        await engine.commit(scope, Batch([Put(A, "m", b"1"), Link(D, b"n", b"v"), Add("u", 1)], [A]))
        assert await engine.get_all(other, A) == {}
        assert await engine.count(other, D) == 0
        assert await engine.counters(other) == {}
        assert await engine.last_seq(other) == 0

    @ensureDeferred
    async def test_watch_wakes_for_a_moved_feed_until_ended(self, engine: Engine, scope: Scope) -> None:
        heard = Heard(scope)
        end = engine.watch(heard)
        await engine.commit(scope, Batch([Put(A, "m", b"")], [A]))
        await heard.once
        end()
        count = len(heard.scopes)
        await engine.commit(scope, Batch([], [A]))
        second = Heard(scope)
        engine.watch(second)
        await engine.commit(scope, Batch([], [A]))
        await second.once
        assert len(heard.scopes) == count

    # paths and pages

    @ensureDeferred
    async def test_resolve_walks_to_the_last_component(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [
            Link(A, b"x", b"b/tail/more"),
            Link(B, b"y", b"c"),
            Put(A, "m", b"ma"),
            Put(C, "m", b"mc"),
        ]
        await engine.commit(scope, Batch(steps))
        found = await engine.resolve(scope, A, [b"x", b"y"], ["m", "t"])
        assert [(one.entry, one.key) for one in found] == [
            (Entry(b"", b""), A),
            (Entry(b"x", b"b/tail/more"), B),
            (Entry(b"y", b"c"), C),
        ]
        assert [one.documents for one in found] == [{"m": Document(1, b"ma")}, {}, {"m": Document(1, b"mc")}]

    @ensureDeferred
    async def test_resolve_stops_before_a_missing_component(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Link(A, b"x", b"b"), Link(C, b"z", b"a")]))
        assert [one.key for one in await engine.resolve(scope, A, [b"x", b"y", b"z"], ["m"])] == [A, B]
        assert [one.key for one in await engine.resolve(scope, A, [b"no"], [])] == [A]
        assert [one.key for one in await engine.resolve(scope, B, [], [])] == [B]

    @ensureDeferred
    async def test_resolve_brings_further_documents_of_the_component_that_is_meant(
        self, engine: Engine, scope: Scope
    ) -> None:
        links: list[Step] = [Link(A, b"x", b"b"), Link(B, b"y", b"c")]
        puts: list[Step] = [Put(key, field, b"1") for key in (A, B, C) for field in ("m", "more")]
        await engine.commit(scope, Batch([*links, *puts]))
        one = Document(1, b"1")

        async def documents(names: list[bytes], last: list[str]) -> list[object]:
            return [found.documents for found in await engine.resolve(scope, A, names, ["m"], last)]

        assert await documents([b"x", b"y"], ["more", "t"]) == [
            {"m": one},
            {"m": one},
            {"m": one, "more": one},
        ]
        assert await documents([b"x", b"no"], ["more"]) == [{"m": one}, {"m": one}]
        assert await documents([], ["more"]) == [{"m": one, "more": one}]

    @ensureDeferred
    async def test_resolve_of_three_hundred_components_works(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [Link(Key(f"k{n}"), b"d", b"k%d/dir" % (n + 1)) for n in range(300)]
        await engine.commit(scope, Batch(steps))
        found = await engine.resolve(scope, Key("k0"), [b"d"] * 300, ["m"])
        assert found[-1].key == "k300"

    @ensureDeferred
    async def test_ancestors_are_listed_upward_with_documents(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [
            Put(A, "up", b"b"),
            Put(B, "up", b"c"),
            Put(C, "up", b""),
            Put(A, "m", b"1"),
            Put(C, "m", b"3"),
        ]
        await engine.commit(scope, Batch(steps))
        one, three = Document(1, b"1"), Document(1, b"3")
        assert await engine.ancestors(scope, A, "up", ["m"]) == [(A, {"m": one}), (B, {}), (C, {"m": three})]
        assert await engine.ancestors(scope, A, "up", ["m"], limit=2) == [(A, {"m": one}), (B, {})]
        assert await engine.ancestors(scope, B, "up", ["up"]) == [
            (B, {"up": Document(1, b"c")}),
            (C, {"up": Document(1, b"")}),
        ]

    @ensureDeferred
    async def test_ancestors_bring_further_documents_of_the_first(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [Put(A, "up", b"b"), Put(A, "more", b"1"), Put(B, "more", b"2")]
        await engine.commit(scope, Batch(steps))
        found = await engine.ancestors(scope, A, "up", ["m"], first=["t", "more"])
        assert found == [(A, {"more": Document(1, b"1")}), (B, {})]
        (alone,) = await engine.ancestors(scope, Key("gone"), "up", ["m"], first=["more"])
        assert alone == (Key("gone"), {})

    @ensureDeferred
    async def test_ancestors_end_at_missing_documents_and_cycles(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Put(A, "up", b"gone"), Put(B, "up", b"b")]))
        assert await engine.ancestors(scope, A, "up", []) == [(A, {}), (Key("gone"), {})]
        assert len(await engine.ancestors(scope, B, "up", [], limit=7)) == 7

    @ensureDeferred
    async def test_page_brings_entries_with_their_documents(self, engine: Engine, scope: Scope) -> None:
        steps: list[Step] = [
            Link(D, b"b", b"b/1"),
            Link(D, b"a", b"a/2"),
            Link(D, b"c", b"c"),
            Put(A, "m", b"x"),
            Put(A, "t", b"y"),
        ]
        await engine.commit(scope, Batch(steps))
        found = await engine.page(scope, D, None, 2, ["m"])
        assert [(one.entry, one.key, one.documents) for one in found] == [
            (Entry(b"a", b"a/2"), A, {"m": Document(1, b"x")}),
            (Entry(b"b", b"b/1"), B, {}),
        ]
        assert [one.key for one in await engine.page(scope, D, b"b", 5, ["m"])] == [C]
        assert await engine.page(scope, D, None, 0, ["m"]) == []
        assert await engine.page(scope, B, None, 9, ["m"]) == []

    @ensureDeferred
    async def test_pages_of_a_large_directory_meet_without_gaps(self, engine: Engine, scope: Scope) -> None:
        expected = sorted(b"%x" % (n * 2654435761 % 2**32) for n in range(1500))
        for at in range(0, 1500, 500):
            await engine.commit(scope, Batch([Link(D, name, b"v") for name in expected[at : at + 500]]))
        found: list[bytes] = []
        while batch := await engine.page(scope, D, found[-1] if found else None, 400, []):
            found += [one.entry.name for one in batch]
        assert found == expected

    # counters

    @ensureDeferred
    async def test_counters_add_up_and_go_below_zero(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Add("used", 5), Add("files", 1)]))
        await engine.commit(scope, Batch([Add("used", -7)]))
        assert await engine.counters(scope) == {"used": -2, "files": 1}

    @ensureDeferred
    async def test_counter_reaches_its_limit_and_not_more(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Add("used", 10, limit=10)]))
        step = Add("used", 1, limit=10)
        failure = await refused(engine, scope, step)
        assert (failure.step, failure.found) == (step, 10)

    @ensureDeferred
    async def test_lowering_a_counter_over_its_limit_is_allowed(self, engine: Engine, scope: Scope) -> None:
        await engine.commit(scope, Batch([Add("used", 10)]))
        await engine.commit(scope, Batch([Add("used", -1, limit=5), Add("used", 0, limit=5)]))
        assert await engine.counters(scope) == {"used": 9}

    @ensureDeferred
    async def test_additions_of_one_batch_share_the_limit(self, engine: Engine, scope: Scope) -> None:
        failure = await refused(engine, scope, Add("used", 6, limit=10), Add("used", 6, limit=10))
        assert failure.found == 0
        assert await engine.counters(scope) == {}

    @ensureDeferred
    async def test_counters_are_exact_up_to_nine_petabytes(self, engine: Engine, scope: Scope) -> None:
        most = 2**53 - 1
        await engine.commit(scope, Batch([Add("used", most - 1, limit=2**80), Add("low", -most)]))
        await engine.commit(scope, Batch([Add("used", 1)]))
        assert await engine.counters(scope) == {"used": most, "low": -most}
        assert (await refused(engine, scope, Add("used", 1))).found == most
        assert (await refused(engine, scope, Add("low", -1))).found == -most
        assert (await refused(engine, scope, Add("new", 2**70))).found == 0

    # leases

    @ensureDeferred
    async def test_lease_is_refused_while_another_holds_it(self, engine: Engine, scope: Scope) -> None:
        lease = await engine.acquire(scope, "one", 60)
        assert lease is not None
        assert await engine.acquire(scope, "two", 60) is None
        assert await engine.acquire(scope, "one", 60) == lease

    @ensureDeferred
    async def test_released_lease_goes_on_with_a_greater_token(self, engine: Engine, scope: Scope) -> None:
        lease = await engine.acquire(scope, "one", 60)
        assert lease is not None
        await engine.release(lease)
        other = await engine.acquire(scope, "two", 60)
        assert other is not None
        assert other.token > lease.token
        await engine.release(lease)
        assert await engine.acquire(scope, "one", 60) is None

    @ensureDeferred
    async def test_expired_lease_goes_to_the_next_with_a_greater_token(
        self, engine: Engine, scope: Scope, pass_time: Callable[[float], Deferred[None]]
    ) -> None:
        lease = await engine.acquire(scope, "one", 0.05)
        assert lease is not None
        await pass_time(0.1)
        other = await engine.acquire(scope, "two", 60)
        assert other is not None
        assert other.token > lease.token
        assert await engine.acquire(scope, "one", 60) is None

    @ensureDeferred
    async def test_renewed_lease_lives_longer_with_the_same_token(
        self, engine: Engine, scope: Scope, pass_time: Callable[[float], Deferred[None]]
    ) -> None:
        lease = await engine.acquire(scope, "one", 0.05)
        assert await engine.acquire(scope, "one", 60) == lease
        await pass_time(0.1)
        assert await engine.acquire(scope, "two", 60) is None

    @ensureDeferred
    async def test_a_lease_that_is_asked_for_by_who_is_stopped_meanwhile_is_given_back(
        self, engine: Engine, scope: Scope
    ) -> None:
        async def hold() -> None:
            lease = await take(engine, scope, "one", 60)
            assert lease is not None
            try:
                await Deferred()
            finally:
                await engine.release(lease)

        holder = Deferred.fromCoroutine(hold())
        holder.cancel()
        with pytest.raises(CancelledError):
            await holder
        assert await engine.acquire(scope, "two", 60) is not None

    @ensureDeferred
    async def test_taking_a_lease_renews_it_and_is_refused_while_another_holds_it(
        self, engine: Engine, scope: Scope
    ) -> None:
        lease = await take(engine, scope, "one", 60)
        assert lease is not None
        assert await take(engine, scope, "one", 60) == lease
        assert await take(engine, scope, "two", 60) is None


class Heard:
    """A feed listener; ``once`` fires at the first call for its scope."""

    def __init__(self, scope: Scope) -> None:
        self.once: Deferred[None] = Deferred()
        self.scopes: list[Scope] = []
        self._scope = scope

    def __call__(self, scope: Scope) -> None:
        self.scopes.append(scope)
        if scope == self._scope and not self.once.called:
            self.once.callback(None)


def paging_property() -> Callable[..., None]:
    """Return the test of pages over any names; a new one for each engine, as pytest-twisted wraps it."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(contents=st.sets(names, max_size=25), bound=names, limit=st.integers(1, 9))
    @ensureDeferred
    async def pages_follow_byte_order(
        self: object, engine: Engine, contents: set[bytes], bound: bytes, limit: int
    ) -> None:
        scope = new_scope()
        await engine.commit(scope, Batch([Link(D, name, b"v" + name) for name in contents]))
        above = sorted(name for name in contents if name > bound)[:limit]
        for fields in ([], ["m"]):
            assert [one.entry.name for one in await engine.page(scope, D, bound, limit, fields)] == above
        ordered = sorted(contents)
        for start, place in ((None, 0), (bound, sum(name < bound for name in contents))):
            for offset in (-30, -1, 0, 1, 7, 2**60):
                first = max(0, place + offset)
                for fields in ([], ["m"]):
                    page = await engine.page_from(scope, D, start, offset, limit, fields)
                    assert [one.entry.name for one in page] == ordered[first : first + limit]
        for name in contents | {bound}:
            assert await engine.lookup(scope, D, name) == (b"v" + name if name in contents else None)

    return pages_follow_byte_order


memory_clock = Clock()


def turn_memory_clock(duration_s: float) -> Deferred[None]:
    """Let time pass for the memory engine."""
    memory_clock.advance(duration_s)
    return succeed(None)


@pytest.fixture(scope="module")
def memory_engine() -> MemoryEngine:
    return MemoryEngine(memory_clock)


@pytest.fixture(scope="module")
def redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    with embedded_engine(tmp_path_factory.mktemp("redis")) as engine:
        yield engine


@pytest.fixture(scope="module")
def sentinel_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    group = SentinelGroup(tmp_path_factory.mktemp("sentinels"), replicas=1, password=PASSWORD)
    yield from engine_of(group, replicas_acknowledge=1, sentinel_password=SENTINEL_PASSWORD)


@pytest.fixture(scope="module")
def cluster_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    yield from engine_of(ClusterGroup(tmp_path_factory.mktemp("cluster")))


def engine_of(group: SentinelGroup | ClusterGroup, **options: object) -> Iterator[RedisEngine]:
    """Start servers and yield an engine on them."""
    try:
        group.start()
        config = RedisConfig(url=group.url, **options)  # type: ignore[arg-type]  # by name
        engine = RedisEngine(reactor, parse_address(group.url), config)
        engine.startService()
        blockon(Deferred.fromCoroutine(engine.wait_ready()))
        yield engine
        blockon(engine.stopService())
    finally:
        group.stop()


class TestMemoryEngine(EngineConformance):
    """Everything in this process, and a clock that the test turns."""

    test_pages_follow_byte_order_of_any_names = paging_property()

    @pytest.fixture()
    def engine(self, memory_engine: MemoryEngine) -> Engine:
        return memory_engine

    @pytest.fixture()
    def pass_time(self) -> Callable[[float], Deferred[None]]:
        return turn_memory_clock


class TestMeasuredEngine(TestMemoryEngine):
    """An engine whose requests are counted does what the one inside does."""

    test_pages_follow_byte_order_of_any_names = paging_property()

    @pytest.fixture()
    def engine(self, memory_engine: MemoryEngine) -> Engine:
        return MeasuredEngine(memory_engine, StoreMetrics(memory_engine), memory_clock)


class TestRedisEngine(EngineConformance):
    """The embedded server; its clock cannot be turned, so leases here are short."""

    test_pages_follow_byte_order_of_any_names = paging_property()

    @pytest.fixture()
    def engine(self, redis_engine: RedisEngine) -> Engine:
        return redis_engine

    @pytest.fixture()
    def pass_time(self) -> Callable[[float], Deferred[None]]:
        return lambda duration_s: deferLater(reactor, duration_s, lambda: None)


class TestSentinelEngine(EngineConformance):
    """A primary that sentinels name, whose one replica acknowledges every commit."""

    test_pages_follow_byte_order_of_any_names = paging_property()

    @pytest.fixture()
    def engine(self, sentinel_engine: RedisEngine) -> Engine:
        return sentinel_engine

    @pytest.fixture()
    def pass_time(self) -> Callable[[float], Deferred[None]]:
        return lambda duration_s: deferLater(reactor, duration_s, lambda: None)


class TestClusterEngine(EngineConformance):
    """A Redis Cluster of three primaries: each scope is on one of them."""

    test_pages_follow_byte_order_of_any_names = paging_property()

    @pytest.fixture()
    def engine(self, cluster_engine: RedisEngine) -> Engine:
        return cluster_engine

    @pytest.fixture()
    def pass_time(self) -> Callable[[float], Deferred[None]]:
        return lambda duration_s: deferLater(reactor, duration_s, lambda: None)

"""What each user of a space holds: summed up by walks, whatever happens to files meanwhile."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Engine, Key, Put, Scope, Step
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.tenure.tenure import Deposed, Tenure
from onedata.ids import UserId
from op_worker.files.model import CreateOptions, FileType
from op_worker.files.stored.charges import used_counter
from op_worker.files.stored.documents import LOCATION, META, Location
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.quotas import Quota
from op_worker.metrics.keeping import LOOK_S
from op_worker.metrics.kinds import STORAGE_USED
from op_worker.metrics.records import FORGOTTEN_SLOTS, METRICS, MOST_USERS, USAGE, Known, kept
from op_worker.metrics.usage import Seen, Sums, Usage
from op_worker.metrics.usage_walk import USER_USAGE_S, WALK_PAGE, Turn, UsageWalk
from tests.support.accounts import nodes_of
from tests.support.immediate import now
from tests.support.spaces import (
    ALICE,
    BOB,
    OWNER,
    SPACE,
    STORAGE,
    alice,
    bob,
    body,
    owner,
    path,
)
from tests.unit.metrics.test_keeping import BEGIN_S, PUT, Nodes, Time, make_nodes, next_fence

SCOPE = Scope(SPACE)


def put(nodes: Nodes, caller: object, name: str, size_b: int) -> None:
    now(nodes.files[0].replace_content(caller, path(name), body(bytes(size_b)), **PUT))  # type: ignore[arg-type]


def walked(nodes: Nodes) -> None:
    """Let an hour pass and the owner walk."""
    nodes.time.now_s += USER_USAGE_S
    now(to_the_end(nodes.services[0].keeping.walk(nodes.fence)))


async def to_the_end(walk: UsageWalk) -> int:
    """Return how many pages were read."""
    pages = 1
    while await walk.step():
        pages += 1
    return pages


def usage_of(engine: Engine) -> Usage | None:
    return Usage.decode(now(engine.get_all(SCOPE, METRICS)).get(USAGE))


def held(engine: Engine) -> dict[str, int]:
    """What the last walk found, without those who hold nothing."""
    usage = usage_of(engine)
    assert usage is not None
    return {user: size_b for user, size_b in usage.held.items() if size_b}


def expected(engine: Engine) -> dict[str, int]:
    """What users hold, counted anew."""
    found: Counter[str] = Counter()
    for node in nodes_of(engine).values():
        if node.location is not None:
            found[node.meta.owner] += node.location.held_b
    return {user: size_b for user, size_b in found.items() if size_b}


def shown(nodes: Nodes, user: UserId) -> float | None:
    return now(nodes.user(user, STORAGE_USED))[-1][0]


def file_steps(number: int, user: UserId, size_b: int) -> list[Step]:
    """A file without a name, as far as sums are concerned."""
    key = Key(f"{number:032x}")
    meta = Meta("n", FileType.REG, 0o664, user, "p", 1)
    location = Location(STORAGE, size_b, ((0, size_b),))
    return [Put(key, META, meta.encode()), Put(key, LOCATION, location.encode())]


def test_bytes_of_every_user_are_told_after_a_walk_whether_he_has_a_quota_or_not() -> None:
    nodes = make_nodes()
    put(nodes, alice, "a", 600)
    put(nodes, alice, "b", 50)
    put(nodes, owner, "c", 7)
    now(nodes.sample())
    assert shown(nodes, ALICE) is None
    walked(nodes)
    now(nodes.sample())
    assert (shown(nodes, ALICE), shown(nodes, OWNER), shown(nodes, BOB)) == (650.0, 7.0, 0.0)
    assert nodes.services[0].keeping.gauges[SPACE].held == {ALICE: 650, OWNER: 7}


def test_the_sums_of_all_users_are_what_the_space_takes_whatever_was_done_to_files() -> None:
    nodes = make_nodes()
    files, engine = nodes.files[0], nodes.site.engine
    put(nodes, alice, "a", 600)
    put(nodes, alice, "a", 400)
    put(nodes, bob, "b", 90)
    now(files.create_directory(owner, path("d"), CreateOptions()))
    put(nodes, owner, "d/removed", 5)
    put(nodes, owner, "d/kept", 11)
    stat = now(files.stat(alice, path("a")))
    now(files.create_link(bob, path("d/a"), stat.guid, CreateOptions()))
    now(files.create_symlink(bob, path("s"), CreateOptions(symlink_target="a")))
    now(files.copy(bob, path("d/kept"), path("copy")))
    now(files.remove(owner, path("d/removed")))
    now(files.move(alice, path("a"), path("d/moved")))
    walked(nodes)
    assert held(engine) == expected(engine) == {ALICE: 400, BOB: 101, OWNER: 11}
    assert sum(held(engine).values()) == now(engine.counters(SCOPE))[used_counter(STORAGE)]


def test_what_grows_goes_or_comes_to_another_owner_is_told_after_the_next_walk() -> None:
    nodes = make_nodes()
    engine = nodes.site.engine
    put(nodes, alice, "a", 600)
    put(nodes, alice, "b", 50)
    walked(nodes)
    now(nodes.sample())
    put(nodes, alice, "a", 1000)
    now(nodes.files[0].remove(alice, path("b")))
    now(nodes.sample())
    assert shown(nodes, ALICE) == 650.0
    walked(nodes)
    now(nodes.sample())
    assert shown(nodes, ALICE) == 1000.0
    ((key, node),) = [one for one in nodes_of(engine).items() if one[1].location is not None]
    now(engine.commit(SCOPE, Batch([Put(key, META, evolve(node.meta, owner=BOB).encode())], announce=[key])))
    walked(nodes)
    now(nodes.sample())
    assert (shown(nodes, ALICE), shown(nodes, BOB)) == (0.0, 1000.0)


def test_a_user_with_a_quota_has_exact_bytes_between_walks() -> None:
    nodes = make_nodes()
    now(nodes.files[0].quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=10_000)))
    put(nodes, alice, "a", 600)
    walked(nodes)
    put(nodes, alice, "b", 50)
    now(nodes.sample())
    assert shown(nodes, ALICE) == 650.0


def test_an_owner_who_walked_within_the_hour_does_not_walk_and_neither_does_the_next() -> None:
    nodes = make_nodes()
    walked(nodes)
    put(nodes, alice, "a", 600)
    nodes.time.now_s += USER_USAGE_S - 1
    nodes.fence = now(next_fence(nodes.site.engine, 2))
    walk = nodes.services[0].keeping.walk(nodes.fence)
    assert now(walk.step()) is False
    assert held(nodes.site.engine) == {}
    nodes.time.now_s += 1
    now(to_the_end(walk))
    assert held(nodes.site.engine) == {ALICE: 600}


def test_a_clock_that_goes_back_does_not_put_walks_off() -> None:
    nodes = make_nodes()
    walked(nodes)
    put(nodes, alice, "a", 600)
    nodes.time.now_s -= 86_400
    now(to_the_end(nodes.services[0].keeping.walk(nodes.fence)))
    assert held(nodes.site.engine) == {ALICE: 600}


def many(engine: Engine, count: int) -> None:
    users = (ALICE, BOB, OWNER)
    for first in range(0, count, 100):
        numbers = range(first, first + 100)
        steps = [step for one in numbers for step in file_steps(one, users[one % 3], one)]
        now(engine.commit(SCOPE, Batch(steps, announce=[Key(f"{one:032x}") for one in numbers])))


def test_five_thousand_files_are_summed_up_in_short_pages() -> None:
    engine = MemoryEngine()
    many(engine, 5000)
    walk = UsageWalk(engine, now(next_fence(engine, 1)), Turn(), Time())
    spans_s = []
    is_walking = True
    while is_walking:
        begun_s = time.process_time()
        is_walking = now(walk.step())
        spans_s.append(time.process_time() - begun_s)
    assert len(spans_s) == 5000 // WALK_PAGE + 1
    assert sorted(spans_s)[len(spans_s) // 2] < 0.1
    assert held(engine) == {
        user: sum(range(first, 5000, 3)) for first, user in enumerate((ALICE, BOB, OWNER))
    }


def test_files_that_change_in_the_course_of_a_walk_count_once() -> None:
    engine = MemoryEngine()
    many(engine, 300)
    walk = UsageWalk(engine, now(next_fence(engine, 1)), Turn(), Time(), page=50)
    is_walking, step = True, 0
    while is_walking:
        is_walking = now(walk.step())
        for number in range(step % 7, 300, 41) if step < 20 else ():
            steps = file_steps(number, (ALICE, BOB, OWNER)[number % 3], number)
            now(engine.commit(SCOPE, Batch(steps, announce=[Key(f"{number:032x}")])))
        step += 1
    assert held(engine) == expected(engine)


def test_a_walk_that_was_ended_begins_again() -> None:
    nodes = make_nodes()
    engine = nodes.site.engine
    many(engine, 100)
    turn, fence = Turn(), nodes.fence
    first = UsageWalk(engine, fence, turn, nodes.time, page=40)
    assert now(first.step())
    first.stop()
    assert usage_of(engine) is None
    assert now(to_the_end(UsageWalk(engine, fence, turn, nodes.time, page=40))) == 3
    assert held(engine) == expected(engine)


def test_one_space_of_a_node_is_walked_at_a_time() -> None:
    engine, turn = MemoryEngine(), Turn()
    many(engine, 100)
    fence = now(next_fence(engine, 1))
    first, second = (UsageWalk(engine, fence, turn, Time(), page=40) for _ in range(2))
    assert now(first.step())
    assert now(second.step()) is False
    assert now(to_the_end(first)) == 2
    assert now(second.step())


def test_an_owner_of_the_past_stores_no_sums() -> None:
    nodes = make_nodes()
    walk = nodes.services[0].keeping.walk(nodes.fence)
    now(next_fence(nodes.site.engine, 2))
    with pytest.raises(Deposed):
        now(to_the_end(walk))
    assert usage_of(nodes.site.engine) is None


def test_a_damaged_record_counts_for_nobody() -> None:
    engine = MemoryEngine()
    many(engine, 100)
    now(engine.commit(SCOPE, Batch([Put(Key(f"{4:032x}"), LOCATION, b"\xc1")])))
    now(to_the_end(UsageWalk(engine, now(next_fence(engine, 1)), Turn(), Time())))
    assert held(engine)[BOB] == sum(range(1, 100, 3)) - 4


def test_an_owner_walks_soon_after_it_began_and_then_each_hour() -> None:
    nodes = make_nodes()
    engine, clock, keeping = nodes.site.engine, nodes.site.clock, nodes.services[0].keeping
    assert isinstance(clock, Clock)
    many(engine, WALK_PAGE + 100)
    working = Deferred.fromCoroutine(keeping.keep(SPACE, Tenure("metrics:x", "n", 2, engine)))
    clock.pump([1.0])
    assert held(engine) == expected(engine)
    put(nodes, alice, "a", 600)
    for _ in range(int(USER_USAGE_S // LOOK_S)):
        nodes.time.now_s += LOOK_S
        clock.advance(LOOK_S)
    clock.pump([1.0, LOOK_S])
    assert held(engine) == expected(engine)
    assert nodes.time.now_s == BEGIN_S + USER_USAGE_S
    working.addErrback(lambda _: None)
    working.cancel()
    assert not clock.getDelayedCalls()


def test_sums_count_a_bounded_number_of_owners_and_then_say_that_others_are_unknown() -> None:
    sums = Sums.of([UserId("known"), UserId("idle")], 3)
    engine = MemoryEngine()
    for number, user in enumerate(("first", "second", "known")):
        key = Key(f"{number:032x}")
        now(engine.commit(SCOPE, Batch(file_steps(number, UserId(user), 10))))
        sums.add(key, now(engine.get_all(SCOPE, key)))
    usage = sums.ended(1.5)
    assert usage == Usage(1, {UserId("known"): 10, UserId("idle"): 0, UserId("first"): 10}, is_whole=False)
    assert [usage.of(UserId(one)) for one in ("known", "idle", "second")] == [10, 0, None]
    assert Usage(1, {}, is_whole=True).of(UserId("second")) == 0


def test_who_holds_bytes_takes_a_free_place_and_nobodys() -> None:
    users = {UserId(f"u{number}"): Known(10, None) for number in range(MOST_USERS - 1)}
    usage = Usage(0, {UserId("a"): 5, UserId("b"): 6}, is_whole=True)
    staying, gone = kept(users, [], {}, usage, 20)
    assert (len(staying), gone) == (MOST_USERS, [])
    assert staying[UserId("a")] == Known(20, 5)
    assert UserId("b") not in staying


def test_who_holds_bytes_is_not_forgotten() -> None:
    users = {UserId("a"): Known(10, 5), UserId("b"): Known(10, 0)}
    usage = Usage(0, {UserId("a"): 5, UserId("b"): 0}, is_whole=True)
    staying, gone = kept(users, [], {}, usage, 10 + FORGOTTEN_SLOTS)
    assert (list(staying), gone) == ([UserId("a")], [UserId("b")])


def test_what_was_seen_is_never_denied_and_hardly_anything_else_is_taken_for_it() -> None:
    seen = Seen()
    assert sum(seen.add(Key(f"{number:032x}")) for number in range(20_000)) < 5
    assert all(seen.add(Key(f"{number:032x}")) for number in range(20_000))

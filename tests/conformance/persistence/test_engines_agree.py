"""Any history of commits and reads gives the same answers on the memory engine and on Redis.

Few keys, names and values, so that steps meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Check,
    Delete,
    Engine,
    Key,
    Link,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Scope,
    Seq,
    Unlink,
)
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from tests.support.embedded_engine import embedded_engine

_numbers = itertools.count()
keys = st.sampled_from([Key("a"), Key("b"), Key("c"), Key("\N{SNOWMAN}\udcff")])
fields = st.sampled_from(["m", "t", "\N{SNOWMAN}"])
data = st.binary(max_size=4)
directories = st.sampled_from([Key("a"), Key("b")])
names = st.sampled_from([b"", b"x", b"x\x01"])
values = st.sampled_from([b"b/1", b"\xff/"])
expected = st.sampled_from([None, None, 0, 1, 2, 3])
numbers = st.one_of(st.integers(-9, 9), st.sampled_from([2**52, -(2**52), 2**53, 2**63, -(2**64)]))
steps = st.one_of(
    st.builds(Put, keys, fields, data, expected),
    st.builds(Link, directories, names, values),
    st.builds(Link, directories, names, values, values),
    st.builds(Unlink, directories, names, values),
    st.builds(Delete, keys, st.none()),
    st.builds(Delete, keys, fields, expected),
    st.builds(Check, keys, fields, st.integers(0, 2)),
    st.builds(Link, directories, names, values, st.one_of(st.none(), values)),
    st.builds(Unlink, directories, names, values),
    st.builds(RequireEmpty, directories),
    st.builds(Add, st.sampled_from(["u", "v"]), numbers, st.one_of(st.none(), numbers)),
)
batches = st.builds(Batch, st.lists(steps, max_size=3), st.lists(keys, max_size=3))


@pytest.fixture(scope="module")
def redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    with embedded_engine(tmp_path_factory.mktemp("redis")) as engine:
        yield engine


async def outcome(engine: Engine, scope: Scope, batch: Batch) -> object:
    """Return what a commit answers, refusals included."""
    try:
        return await engine.commit(scope, batch)
    except PreconditionFailed as exc:
        return batch.steps.index(exc.step), exc.found
    except ValueError as exc:
        return str(exc)


async def everything(engine: Engine, scope: Scope, path: Sequence[bytes]) -> Sequence[object]:
    """Return what every reading call answers."""
    found: list[object] = [await engine.counters(scope), await engine.last_seq(scope)]
    found.append(await engine.changes(scope, Seq(0), 99))
    found.append(await engine.changes(scope, Seq(2), 2))
    all_keys = [Key("a"), Key("b"), Key("c"), Key("\N{SNOWMAN}\udcff")]
    found.append(await engine.get_many(scope, all_keys, ["m", "t", "\N{SNOWMAN}"]))
    for key in all_keys:
        found.append(await engine.get_all(scope, key))
        found.append(await engine.get(scope, key, ["t", "m"]))
        found.append(await engine.count(scope, key))
        found.append(await engine.page(scope, key, None, 99, ["m"]))
        found.append(await engine.page(scope, key, b"x", 2, []))
        found.append(await engine.page_from(scope, key, b"x\x01", -1, 2, ["t"]))
        found.append(await engine.resolve(scope, key, path, ["t"]))
        found.append(await engine.resolve(scope, key, path, ["t"], last=["m", "\N{SNOWMAN}"]))
        found.append(await engine.ancestors(scope, key, "m", ["t", "m"], limit=5))
        found.append(await engine.ancestors(scope, key, "m", ["t"], limit=5, first=["m", "\N{SNOWMAN}"]))
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(batches, min_size=5, max_size=25), path=st.lists(names, max_size=4))
@ensureDeferred
async def test_memory_and_redis_give_the_same_answers(
    redis_engine: RedisEngine, history: list[Batch], path: list[bytes]
) -> None:
    scope = Scope(f"history-{next(_numbers)}")
    memory = MemoryEngine()
    for batch in history:
        assert await outcome(redis_engine, scope, batch) == await outcome(memory, scope, batch)
    assert await everything(redis_engine, scope, path) == await everything(memory, scope, path)

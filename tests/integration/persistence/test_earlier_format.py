"""Stores that were written by earlier versions, which kept a revision in six bytes, stay usable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from valkey import Valkey

from cluster_worker.persistence.engine import ABSENT, Batch, Check, Key, PreconditionFailed, Put, Scope
from cluster_worker.persistence.redis import RedisEngine

SPACE, FILE, PARENT = Scope("space"), Key("file"), Key("directory")


def write_as_before(folder: Path, key: str, field: str, revision: int, data: bytes) -> None:
    """Store a document in the earlier form."""
    store: Any = Valkey(unix_socket_path=str(folder / "redis.sock"))
    store.hset(f"{{{SPACE}}}:f:{key}", field, revision.to_bytes(6, "big") + data)
    store.close()


@pytest.mark.parametrize("revision", [1, 127, 128, 300])
@ensureDeferred
async def test_earlier_documents_are_read_and_rewritten_with_the_next_revision(
    make_server: Callable[[], Any],
    make_redis_engine: Callable[..., RedisEngine],
    tmp_path: Path,
    revision: int,
) -> None:
    engine = make_redis_engine(make_server().address, patience_s=10.0)
    await engine.wait_ready()
    write_as_before(tmp_path, FILE, "x", revision, b"old")
    write_as_before(tmp_path, FILE, "parent", 1, PARENT.encode())
    write_as_before(tmp_path, PARENT, "x", 2, b"above")
    document = (await engine.get(SPACE, FILE, ["x"]))["x"]
    assert (document.revision, document.data) == (revision, b"old")
    above = await engine.ancestors(SPACE, FILE, "parent", ["x"], 9)
    assert [(key, documents["x"].data) for key, documents in above] == [(FILE, b"old"), (PARENT, b"above")]
    with pytest.raises(PreconditionFailed) as caught:
        await engine.commit(SPACE, Batch([Check(FILE, "x", ABSENT)]))
    assert caught.value.found == revision
    await engine.commit(SPACE, Batch([Put(FILE, "x", b"new", expect=revision), Put(PARENT, "x", b"newer")]))
    assert (await engine.get(SPACE, FILE, ["x"]))["x"].revision == revision + 1
    assert (await engine.get(SPACE, PARENT, ["x"]))["x"].revision == 3

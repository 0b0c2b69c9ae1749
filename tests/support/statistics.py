"""Counts directories anew, by a walk over the documents of an engine in memory, and compares the totals."""

from __future__ import annotations

from cluster_worker.persistence.engine import Engine, Key, Scope
from onedata.ids import space_root_uuid
from op_worker.files.stored.documents import META, PARENT
from op_worker.statistics.contributions import READ, contribution_of, decode_all
from op_worker.statistics.counts import Counts, add, is_nothing
from op_worker.statistics.history import PRESENT, Totals, totals_key
from op_worker.statistics.states import FIELD, STATE, State
from tests.support.accounts import documents_of
from tests.support.spaces import SPACE


async def check_totals(engine: Engine) -> None:
    """Demand that the totals of every directory are those of a recount, and that nothing else is kept."""
    scope = Scope(SPACE)
    state = State.decode((await engine.get(scope, STATE, [FIELD])).get(FIELD))
    expected, names = recount(engine, state.storages)
    documents = documents_of(engine)
    kept = {
        key: Totals.decode(found[PRESENT].data).counts
        for key, found in documents.items()
        if key.startswith("stat:") and PRESENT in found
    }
    for directory, counts in expected.items():
        found = kept.pop(totals_key(directory), ())
        assert _trimmed(found) == _trimmed(counts), directory
    assert all(is_nothing(counts) for counts in kept.values()), kept
    assert set(kept) <= {totals_key(one) for one in (space_root_uuid(SPACE), *names)}
    buckets = [found for key, found in documents.items() if key.startswith("stat-c:")]
    remembered = {key for found in buckets for key in decode_all(found)}
    assert names <= remembered
    assert remembered - names <= set(expected) | {space_root_uuid(SPACE)}


def recount(engine: Engine, storages: tuple[str, ...]) -> tuple[dict[str, Counts], set[str]]:
    """Return the counts below every directory that has something below it, and every counted name."""
    documents = documents_of(engine)
    totals: dict[str, Counts] = {}
    names: set[str] = set()
    for key, found in documents.items():
        ends = f"_file_{key}"
        links = sorted(one for one, its in documents.items() if one.endswith(ends) and PARENT in its)
        if META not in found or (PARENT not in found and not links):
            continue
        names.add(key)
        further = [documents[link][PARENT].data.decode() for link in links]
        read = {name: found[name] for name in READ if name in found}
        one = contribution_of(read, storages.index, further)
        assert one is not None
        for directory, counts in one.placements:
            above: str | None = directory
            while above is not None:
                totals[above] = add(totals.get(above, ()), counts)
                parent = documents.get(Key(above), {}).get(PARENT)
                above = None if parent is None else parent.data.decode()
    return totals, names


def _trimmed(counts: Counts) -> Counts:
    while counts and not counts[-1]:
        counts = counts[:-1]
    return counts

"""Bytes at offsets: what every storage helper reads, writes, cuts and extends."""

from __future__ import annotations

from random import Random

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import StoragePath, SupportsOpenWithFirst, SupportsWholeWrites
from tests.conformance.storage.enrolment import needs
from tests.conformance.storage.places import Place

A, DEEP = StoragePath("a"), StoragePath("x/y/z/file")
MIB = 1 << 20
FAR_B = 5 << 30


@needs("writing")
@ensureDeferred
async def test_every_helper_takes_writes_and_gives_reads_of_the_size_asked(place: Place) -> None:
    await place.put(DEEP, b"hello")
    file = await place.helper.open_read(DEEP)
    assert len(await file.read(1, 3)) == 3
    await file.sync()
    await file.close()
    await file.close()


@needs("keeping")
@ensureDeferred
async def test_written_bytes_come_back_and_read_is_short_only_at_the_end(place: Place) -> None:
    await place.put(DEEP, b"hello")
    file = await place.helper.open_read(DEEP)
    assert await file.read(2, 100) == b"llo"
    assert await file.read(1, 2) == b"el"
    assert await file.read(0, 0) == b""
    assert await file.read(5, 2) == b""
    assert await file.read(500, 2) == b""
    assert await file.size() == 5
    await file.close()


@needs("keeping")
@ensureDeferred
async def test_a_file_that_nothing_was_written_to_is_there_and_empty(place: Place) -> None:
    await place.put(DEEP, b"")
    assert await place.get(DEEP) == b""
    assert (await place.helper.stat(DEEP)).size_b == 0


@needs("keeping", "writing")
@ensureDeferred
async def test_a_file_opened_for_writing_is_there_before_the_first_write(place: Place) -> None:
    file = await place.helper.open_write(DEEP)
    await file.close()
    assert await place.get(DEEP) == b""


@needs("keeping", "writing in place", "writing")
@ensureDeferred
async def test_a_gap_before_a_write_reads_as_zeros(place: Place) -> None:
    file = await place.helper.open_write(A)
    await file.write(3, b"x")
    assert await file.read(0, 9) == b"\0\0\0x"
    await file.write(3 * MIB, b"y")
    assert await file.read(3 * MIB - 2, 9) == b"\0\0y"
    await file.close()
    assert await place.get(A) == b"\0\0\0x" + bytes(3 * MIB - 4) + b"y"


@needs("keeping", "writing in place", "writing", "far offsets")
@ensureDeferred
async def test_a_byte_behind_five_gibibytes_is_kept_there(place: Place) -> None:
    file = await place.helper.open_write(A)
    await file.write(0, b"first")
    await file.write(FAR_B, b"last")
    assert await file.size() == FAR_B + 4
    assert await file.read(FAR_B - 2, 100) == b"\0\0last"
    assert await file.read(3, 4) == b"st\0\0"
    await file.close()
    assert (await place.helper.stat(A)).size_b == FAR_B + 4


@needs("keeping", "writing in place", "writing")
@ensureDeferred
async def test_opening_for_write_keeps_what_is_there(place: Place) -> None:
    await place.put(A, b"hello")
    await place.put(A, b"J")
    assert await place.get(A) == b"Jello"


@needs("keeping", "writing")
@ensureDeferred
async def test_an_empty_write_changes_nothing(place: Place) -> None:
    file = await place.helper.open_write(A)
    await file.write(0, b"hello")
    await file.write(2, b"")
    assert await file.read(0, 100) == b"hello"
    await file.close()


@needs("keeping", "writing")
@ensureDeferred
async def test_pieces_written_one_after_another_are_read_through_the_same_handle(place: Place) -> None:
    file = await place.helper.open_write(A)
    for number in range(10):
        await file.write(number * 3, b"%03d" % number)
    assert await file.read(0, 100) == b"".join(b"%03d" % number for number in range(10))
    assert await file.size() == 30
    await file.sync()
    await file.close()


@needs("keeping", "writing", "cutting", "extending")
@ensureDeferred
async def test_truncating_cuts_and_extends_with_zeros(place: Place) -> None:
    await place.put(A, b"hello")
    file = await place.helper.open_update(A)
    await file.truncate(2)
    assert await file.size() == 2
    await file.truncate(4)
    assert await file.read(0, 9) == b"he\0\0"
    await file.close()
    assert (await place.helper.stat(A)).size_b == 4


@needs("keeping", "writing", "extending")
@ensureDeferred
async def test_truncating_to_nothing_leaves_an_empty_file_and_no_old_bytes(place: Place) -> None:
    await place.put(A, b"hello" * 1000)
    file = await place.helper.open_update(A)
    await file.truncate(0)
    assert await file.size() == 0
    await file.truncate(10)
    assert await file.read(0, 100) == bytes(10)
    await file.close()


@needs("keeping", "writing", "cutting", "extending")
@ensureDeferred
async def test_bytes_that_were_cut_off_do_not_come_back(place: Place) -> None:
    data = bytes(Random(1).randbytes(2 * MIB + 77))
    await place.put(A, data)
    file = await place.helper.open_update(A)
    await file.truncate(MIB - 3)
    await file.truncate(2 * MIB)
    await file.close()
    assert await place.get(A) == data[: MIB - 3] + bytes(MIB + 3)


@needs("keeping")
@ensureDeferred
async def test_a_large_file_is_read_at_odd_offsets_as_it_was_written(place: Place) -> None:
    data = Random(2).randbytes(5 * MIB + 4321)
    await place.put(DEEP, data)
    file = await place.helper.open_read(DEEP)
    for offset_b, size_b in ((0, 1), (MIB - 1, 2), (4 * MIB - 5, MIB), (5 * MIB, 9999), (1, 5 * MIB)):
        assert await file.read(offset_b, size_b) == data[offset_b : offset_b + size_b]
    await file.close()
    assert await place.get(DEEP) == data


@needs("keeping", "writing")
@ensureDeferred
async def test_a_large_file_is_written_in_pieces_of_odd_sizes(place: Place) -> None:
    data = Random(3).randbytes(3 * MIB + 11)
    file = await place.helper.open_write(A)
    for offset_b in range(0, len(data), 250_007):
        await file.write(offset_b, data[offset_b : offset_b + 250_007])
    await file.close()
    assert await place.get(A) == data


@pytest.mark.parametrize("seed", range(3))
@needs("keeping", "writing", "writing in place", "cutting", "extending")
@ensureDeferred
async def test_random_writes_and_cuts_leave_what_they_leave_in_memory(place: Place, seed: int) -> None:
    random, model = Random(seed), bytearray()
    file = await place.helper.open_write(A)
    for _ in range(25):
        offset_b = random.randrange(MIB)
        match random.randrange(4):
            case 0:
                del model[offset_b:]
                model.extend(bytes(offset_b - len(model)))
                await file.truncate(offset_b)
            case 1:
                size_b = random.randrange(300_000)
                assert await file.read(offset_b, size_b) == model[offset_b : offset_b + size_b]
            case _:
                data = random.randbytes(random.randrange(1, 200_000))
                model.extend(bytes(max(0, offset_b - len(model))))
                model[offset_b : offset_b + len(data)] = data
                await file.write(offset_b, data)
        assert await file.size() == len(model)
    await file.close()
    assert await place.get(A) == model


@needs("keeping", "writing", "writing in place")
@ensureDeferred
async def test_a_write_through_one_handle_is_read_through_another(place: Place) -> None:
    await place.put(A, b"hello")
    reader, writer = await place.helper.open_read(A), await place.helper.open_update(A)
    await writer.write(4, b"!?")
    await writer.sync()
    assert await reader.read(0, 100) == b"hell!?"
    assert await reader.size() == 6
    await writer.close()
    await reader.close()


@needs("keeping", "writing", SupportsWholeWrites)
@ensureDeferred
async def test_whole_writes_make_parents_and_replace_longer_content(place: Place) -> None:
    await place.helper.write_whole(DEEP, b"a longer text")
    await place.helper.write_whole(DEEP, b"short")
    assert await place.get(DEEP) == b"short"
    await place.helper.write_whole(DEEP, b"")
    assert await place.get(DEEP) == b""


@needs("keeping", SupportsOpenWithFirst)
@ensureDeferred
async def test_opening_with_first_bytes_gives_small_files_whole(place: Place) -> None:
    await place.put(A, b"hello")
    small = await place.helper.open_with_first(A, 5)
    assert (small.size_b, small.first, small.file) == (5, b"hello", None)
    partly = await place.helper.open_with_first(A, 2)
    assert (partly.size_b, partly.first) == (5, b"he")
    assert partly.file is not None
    assert await partly.file.read(2, 9) == b"llo"
    await partly.file.close()


@needs("keeping")
@ensureDeferred
async def test_the_storage_s_own_client_reads_the_same_bytes(place: Place) -> None:
    if place.enrolled.reads_back is None:
        pytest.skip("the storage has no client of its own")
    data = Random(4).randbytes(2 * MIB + 5)
    await place.put(DEEP, data)
    await place.put(A, b"")
    assert place.read_back(DEEP) == data
    assert place.read_back(A) == b""

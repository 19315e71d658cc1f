"""How a mini-batch is cut into tasks: each file in exactly one, the huge one by itself, few tasks for a small batch."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.blob import Blob
from ndr_adapters.spark.fanout.deltas import delta_chain
from ndr_adapters.spark.fanout.shares import cut
from ndr_adapters.spark.fanout.task import StepTask
from ndr_adapters.spark.fanout.worker import Order
from ndr_core.flows.file_format import Compression, Head
from ndr_core.flows.source import InputBatch, InputFile
from tests.makers import flow, make_plan

MIB = 1 << 20
GIB = 1 << 30


def batch_of(*sizes: int, packed: Sequence[bool] = ()) -> InputBatch:
    files = tuple(InputFile(f"part-{n:05}.json.gz", size) for n, size in enumerate(sizes))
    kinds = [Compression.GZIP if one else Compression.NONE for one in packed]
    heads = {file: Head(kind) for file, kind in zip(files, kinds, strict=False)}
    return InputBatch(files, lambda _file, _read: iter(()), (), heads)


def test_one_huge_file_is_unpacked_by_one_task_and_its_lines_are_read_by_all_cores() -> None:
    shares = cut(batch_of(GIB), cores=8)

    assert shares.large == (batch_of(GIB).files,)
    assert shares.files == ()
    assert shares.lines == 64, "of 16 MiB each"
    assert shares.built == 43, "of 24 MiB each"


def test_a_huge_file_among_small_ones_holds_none_of_them_up() -> None:
    batch = batch_of(*(MIB for _ in range(64)), 256 * MIB)

    shares = cut(batch, cores=4)

    assert shares.large == ((batch.files[-1],),)
    assert len(shares.files) == 4
    assert {len(files) for files in shares.files} == {16}
    assert shares.lines >= 2 * 4


def test_files_of_one_size_are_read_where_they_are_unpacked() -> None:
    shares = cut(batch_of(*(8 * MIB for _ in range(64))), cores=16)

    assert shares.large == ()
    assert shares.lines == 0
    assert sorted(map(len, shares.files)) == [2] * 32


def test_thousands_of_small_files_are_few_tasks() -> None:
    shares = cut(batch_of(*(10_000 for _ in range(5000))), cores=4)

    assert 8 <= len(shares.files) <= 9
    assert shares.large == ()


def test_many_more_cores_than_files_leave_no_task_without_a_file() -> None:
    shares = cut(batch_of(MIB, MIB, MIB), cores=500)

    assert len(shares.files) == 3
    assert all(shares.files)
    assert shares.built == 1


def test_a_tiny_batch_is_one_task_and_one_share_whatever_the_cores() -> None:
    shares = cut(batch_of(300, 200, 100), cores=1000)

    assert [len(files) for files in shares.files] == [3]
    assert (shares.large, shares.lines, shares.built) == ((), 0, 1)


def test_a_file_that_is_not_packed_weighs_as_much_as_if_it_were() -> None:
    plain = cut(batch_of(64 * MIB, packed=[False]), cores=2)
    packed = cut(batch_of(8 * MIB, packed=[True]), cores=2)

    assert (plain.lines, plain.built, len(plain.large)) == (
        packed.lines,
        packed.built,
        len(packed.large),
    )


def test_a_batch_without_files_and_one_of_empty_files_are_a_chain_with_work_to_do() -> None:
    none, empty = cut(batch_of(), cores=4), cut(batch_of(0, 0), cores=4)

    assert (none.files, none.large, none.lines, none.built) == ((), (), 0, 1)
    assert [len(files) for files in empty.files] == [2]
    assert (empty.large, empty.lines, empty.built) == ((), 0, 1)


def test_a_huge_file_is_a_step_of_its_own_before_the_one_that_reads() -> None:
    batch = batch_of(GIB, *(MIB for _ in range(8)))
    shares = cut(batch, cores=4)

    chain = delta_chain(make_plan(), batch, StagingRoot("out"), shares)

    unpack, read, last = chain.steps
    assert (unpack.shares, unpack.orders) == (0, ((batch.files[0],),))
    assert (read.shares, read.orders) == (shares.lines, shares.files)
    assert last.orders == ()


def test_one_task_unpacks_a_huge_file_and_all_others_make_records_of_its_lines() -> None:
    blocks = [b"".join(json.dumps(flow(source_port=n)).encode() + b"\n" for n in range(50))] * 64
    file = InputFile("huge.json.gz", 256 * MIB)
    batch = InputBatch((file,), lambda _file, _read: iter(blocks), ())
    shares = cut(batch, cores=4)
    chain = delta_chain(make_plan(), batch, StagingRoot("out"), shares)
    read: list[int] = []

    unpacked: dict[int, list[Blob]] = {}
    (order,) = chain.steps[0].orders
    for share, blob in StepTask(chain, 0)(0, [Order(order)], lambda _, n: read.append(n)):
        unpacked.setdefault(share, []).append(blob)
    results = {
        share: list(StepTask(chain, 1)(share, blobs, lambda _, n: read.append(n)))
        for share, blobs in unpacked.items()
    }

    assert sum(read) == 64 * 50, "counted once"
    assert shares.lines == 16
    assert results.keys() == set(range(16))
    assert all(results.values())
    lines = [sum(len(blob["lines"]) for blob in blobs) for blobs in unpacked.values()]
    assert max(lines) < 1.5 * min(lines)


@given(
    st.lists(st.one_of(st.integers(0, 4096), st.integers(0, 4 * GIB)), max_size=60),
    st.integers(1, 2000),
    st.lists(st.booleans(), max_size=60),
)
def test_every_file_is_in_exactly_one_task(
    sizes: list[int], cores: int, packed: list[bool]
) -> None:
    batch = batch_of(*sizes, packed=packed)

    shares = cut(batch, cores)

    tasks = [*shares.files, *shares.large]
    assert sorted(file.uri for files in tasks for file in files) == batch.uris
    assert all(tasks)
    assert bool(shares.large) == (shares.lines > 0)
    assert shares.built >= 1


@given(st.lists(st.integers(1, GIB), min_size=1, max_size=40), st.integers(1, 500))
def test_no_task_reads_far_more_than_another_may(sizes: list[int], cores: int) -> None:
    """Half as much again as a share is what one file may weigh; another share is what it may come on top of."""
    batch = batch_of(*sizes)
    total = sum(sizes)
    each = min(max(total // (2 * cores), MIB), 16 * MIB)

    shares = cut(batch, cores)

    assert all(sum(map(batch.packed_bytes, files)) <= 2.5 * each for files in shares.files)
    assert all(len(files) == 1 for files in shares.large)

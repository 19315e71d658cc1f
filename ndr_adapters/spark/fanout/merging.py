"""Merging contributions as a chain of kernels: some tasks read files, others merge a share of the hosts each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.polars.contributions import Merging, Part, few
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task

FILES: Final = "files"
"""Result: `name` of a written file, below the folder."""

_DELTAS: Final = "deltas"
_PAIRS: Final = "pairs"
_LEAST_ROWS: Final = 1 << 14
"""Of a task, where there are so many: to merge them takes about as long as to start it."""
_MOST_ROWS: Final = 1 << 18
"""Of delta files, or four times as many of pair files, that a task has in memory."""
_READING_TASKS_PER_CORE: Final = 2


def merge_chain(merging: Merging, folder: StagingRoot, cores: int) -> Chain:
    """Make the chain that merges all files of a `Merging`, and writes the rows to Parquet files in a folder."""
    weight = merging.files.weight
    each = min(max(weight // (_READING_TASKS_PER_CORE * cores), _LEAST_ROWS), _MOST_ROWS)
    shares = max(min(cores, -(-weight // _LEAST_ROWS)), -(-weight // _MOST_ROWS), 1)
    keys = dict.fromkeys((_DELTAS, _PAIRS), merging.shared_by)
    read = Step(
        (Kernel("read", _Read(merging), shares=0),), tuple(few(_single(merging.files), each))
    )
    merge = Step((Kernel("merge", _Merge(merging, folder), keys, shares),))
    return Chain((read, merge))


@frozen
class _Read:
    """Reads files, as rows that are to meet those with their keys."""

    merging: Merging

    def __call__(self, task: Task) -> Frames:
        part: Part = task.order
        if part.deltas:
            rows = self.merging.delta_rows(part.deltas)
            yield _DELTAS, rows.select(self.merging.delta_columns).collect()
        if part.pairs:
            rows = self.merging.pair_rows(part.pairs)
            yield _PAIRS, rows.select(self.merging.pair_columns).collect()


@frozen
class _Merge:
    """Merges the rows of its share, and writes them."""

    merging: Merging
    folder: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if not frames:
            return
        merging = self.merging
        deltas = frames[_DELTAS].lazy() if _DELTAS in frames else merging.delta_rows(())
        pairs = frames[_PAIRS].lazy() if _PAIRS in frames else merging.pair_rows(())
        columns = list(merging.schema)
        rows = merging.merged(deltas, pairs, columns).select(columns)
        name = f"part-{task.token}.parquet"
        with full_disk_named(self.folder.address):
            rows.write_parquet(
                f"{self.folder.address}/{name}",
                compression="zstd",
                storage_options=self.folder.storage_options,
            )
        yield FILES, pl.DataFrame({"name": [name]})


def _single(files: Part) -> Iterator[Part]:
    """Each file as a part of its own."""
    yield from (Part(deltas=(file,)) for file in files.deltas)
    yield from (Part(pairs=(file,)) for file in files.pairs)

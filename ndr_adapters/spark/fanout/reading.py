"""Kernels that read: files or lines in, judged records out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import polars as pl
from attrs import frozen

from ndr_adapters.polars.headed import Headed, headed_blocks, joined
from ndr_adapters.polars.lines import lines_frame
from ndr_adapters.polars.parquet import RowReader
from ndr_adapters.polars.partial import judged_lines
from ndr_adapters.spark.fanout.chain import Frames, Task
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.source import InputFile, read_named
from ndr_core.progress import lines_in

LINES: Final = "lines"
"""Frame of `block`, whole lines, as bytes, and `head`, the header that they have, if the format has headers."""

_LINES_SCHEMA: Final = {"head": pl.String(), "block": pl.Binary()}
_BLOCK_BYTES: Final = 1 << 20
"""Of lines that may have many headers: so much goes to another task in one frame."""

_CHUNK_BYTES: Final = 32 << 20
"""Of lines that are read at once. A record takes several times as much memory while it is read."""

Reader: TypeAlias = Callable[[InputFile, Callable[[int], object]], Iterator[bytes]]


@frozen
class Unpack:
    """Reads files whose lines are too many for one task: others make records of them."""

    mapping: InputMapping
    reader: Reader

    def __call__(self, task: Task) -> Frames:
        least = _BLOCK_BYTES if self.mapping.format is FileFormat.DELIMITED else 1
        for blocks in joined(_blocks(task, self.mapping, self.reader), least):
            yield LINES, pl.DataFrame(blocks, schema=_LINES_SCHEMA, orient="row")


@frozen
class Read:
    """Reads files, or lines that other tasks have unpacked, and judges their records."""

    plan: DeltaPlan
    key_orders: tuple[KeyOrder, ...]
    reader: Reader

    def judged(self, task: Task) -> Iterator[pl.DataFrame]:
        """Give the judged records of the task's input, some after the other: as `judged_lines`."""
        if self.plan.input.format is FileFormat.PARQUET:
            yield from self._rows(task)
            return
        blocks: Iterator[Headed]
        if task.order is None:
            blocks = (row for _, frame in task.inputs for row in frame.iter_rows())
        else:
            blocks = _blocks(task, self.plan.input, self.reader)
        for some in joined(blocks, _CHUNK_BYTES):
            yield judged_lines(lines_frame(some).lazy(), self.plan, self.key_orders).collect()

    def _rows(self, task: Task) -> Iterator[pl.DataFrame]:
        """The records of the files in a task's order, which are counted as they are read."""
        reader = RowReader(self.plan)
        for file in task.order or ():
            pieces = self.reader(file, lambda size: task.count(size, 0))
            for judged in reader.judged(file, pieces):
                task.count(0, judged.height)
                yield judged


def _blocks(task: Task, mapping: InputMapping, reader: Reader) -> Iterator[Headed]:
    """The blocks of the files in a task's order, with their headers."""
    for file in task.order:
        yield from headed_blocks(_counted_blocks(task, file, reader), mapping)


def _counted_blocks(task: Task, file: InputFile, reader: Reader) -> Iterator[bytes]:
    """The blocks of a file, which are counted as they are read."""
    for block in read_named(lambda one: reader(one, lambda size: task.count(size, 0)), file):
        task.count(0, lines_in(block))
        yield block

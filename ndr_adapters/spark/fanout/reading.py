"""Kernels that read: files or lines in, judged records out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import polars as pl
from attrs import frozen

from ndr_adapters.polars.lines import lines_frame
from ndr_adapters.polars.partial import judged_lines
from ndr_adapters.spark.fanout.chain import Frames, Task
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.source import InputFile, read_named
from ndr_core.progress import lines_in

LINES: Final = "lines"
"""Frame of `block`: whole lines, as bytes."""

_CHUNK_BYTES: Final = 32 << 20
"""Of lines that are read at once. A record takes several times as much memory while it is read."""

Reader: TypeAlias = Callable[[InputFile, Callable[[int], object]], Iterator[bytes]]


@frozen
class Unpack:
    """Reads files whose lines are too many for one task: others make records of them."""

    reader: Reader

    def __call__(self, task: Task) -> Frames:
        for block in _counted_blocks(task, self.reader):
            yield LINES, pl.DataFrame({"block": [block]})


@frozen
class Read:
    """Reads files, or lines that other tasks have unpacked, and judges their records."""

    plan: DeltaPlan
    key_orders: tuple[KeyOrder, ...]
    reader: Reader

    def judged(self, task: Task) -> Iterator[pl.DataFrame]:
        """Give the judged records of the task's input, some after the other: as `judged_lines`."""
        blocks: Iterator[bytes]
        if task.order is None:
            blocks = (block for _, frame in task.inputs for block in frame.get_column("block"))
        else:
            blocks = _counted_blocks(task, self.reader)
        for some in _chunks(blocks):
            yield judged_lines(lines_frame(some).lazy(), self.plan, self.key_orders).collect()


def _counted_blocks(task: Task, reader: Reader) -> Iterator[bytes]:
    """The blocks of the files in a task's order, which are counted as they are read."""
    for file in task.order:
        for block in read_named(lambda one: reader(one, lambda size: task.count(size, 0)), file):
            task.count(0, lines_in(block))
            yield block


def _chunks(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _CHUNK_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held

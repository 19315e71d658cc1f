"""Summaries as a chain of kernels: some tasks read files, others sum up the windows of a share of the hosts each."""

from __future__ import annotations

from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.features.summary_files import SummaryFiles
from ndr_adapters.polars.features.summary_kernel import SummaryEnds, SummaryFrames, build_share
from ndr_adapters.polars.write import SUMMARIES, StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.file_rows import ADDRESSES, read_folders, spread
from ndr_adapters.spark.fanout.staged import written

_FRAMES: Final = ("windows", "judge", "judge_rows")
"""What is read: of these names in `SummaryFiles`, and in `SummaryFrames`."""


def summary_chain(
    files: SummaryFiles, ends: SummaryEnds, staging: StagingRoot, cores: int, shares: int
) -> Chain:
    """Make the chain that sums up windows from their files, and stages its tables."""
    sources = {name: getattr(files, name) for name in _FRAMES}
    orders = spread(((name, file) for name in _FRAMES for file in sources[name].files), cores)
    unread = evolve(
        files,
        windows=files.windows.none(),
        judge=files.judge.none(),
        judge_rows=files.judge_rows.none(),
    )
    by_host = dict.fromkeys(_FRAMES, ("host_ip",))
    return Chain(
        (
            Step((Kernel("read", _Read(unread), shares=0),), orders),
            Step((Kernel("build", _Build(unread, ends, staging), by_host, shares),)),
        ),
        ADDRESSES,
    )


def _rows(files: SummaryFiles, name: str, found: FolderRows) -> pl.LazyFrame:
    """Some rows, in the columns that the kernel takes. `files`: without files."""
    if name == "windows":
        return evolve(files, windows=found).frames().windows
    if name == "judge":
        return evolve(files, judge=found).frames().judge
    return evolve(files, judge_rows=found).frames().judge_rows


@frozen
class _Read:
    """Reads files, as rows that are to meet those of their host."""

    files: SummaryFiles
    """Without the files, which come with the orders."""

    def __call__(self, task: Task) -> Frames:
        sources = {name: getattr(self.files, name) for name in _FRAMES}
        number = task.addresses.number(pl.col("host_ip"))
        for name, found in read_folders(task.order or (), sources):
            rows = _rows(self.files, name, found).with_columns(number)
            yield name, rows.collect(engine="streaming")


@frozen
class _Build:
    """Sums up the windows of the hosts of its share, and writes the tables."""

    files: SummaryFiles
    ends: SummaryEnds
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if "windows" not in frames:
            return
        known = task.addresses.known(pl.col("host_ip"))
        none = self.files.frames()
        rows = {
            name: frames.pop(name).lazy().with_columns(known)
            if name in frames
            else getattr(none, name)
            for name in _FRAMES
        }
        made = SummaryFrames(**rows, addresses=task.addresses)
        for table, of_table in build_share(made, self.files.plan, self.ends).tables():
            yield written(of_table, table, self.staging, task.token, SUMMARIES)

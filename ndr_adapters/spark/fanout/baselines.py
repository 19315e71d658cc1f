"""Baselines as a chain of kernels: some tasks read files, others make the baselines of a share of the hosts each.

What has changed in what the hosts use is added up by segment in tasks of a further step, and that of the segments by
one task at the end: it makes the baselines of the network. The former baselines of both go with it from step to step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.baseline_files import BaselineFiles
from ndr_adapters.polars.features.baseline_frames import (
    SEGMENT,
    BaselineFrames,
    CellFrames,
    HorizonDates,
)
from ndr_adapters.polars.features.baseline_kernel import BaselineShare
from ndr_adapters.polars.features.baseline_scopes import Used, scope_tables
from ndr_adapters.polars.features.folder_rows import HOST_FOLDERS, FolderRows
from ndr_adapters.polars.write import HISTOGRAMS, StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.file_rows import ADDRESSES, read_folders, spread
from ndr_adapters.spark.fanout.staged import FILES, written
from ndr_core.baselines import tables
from ndr_core.baselines.plan import BaselinePlan
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS

_ROWS: Final = ("summary_rows", "former_rows")
_CELLS: Final = ("summary", "former")
"""What is read: of these names in `BaselineFiles`; the histograms of each role and band are a frame of their own."""
_USED_ROWS: Final = "used rows"
_USED_CHANGES: Final = "used changes"
"""What hosts use by segment, as `Used` has it."""
_FORMER_SCOPES: Final = "former scopes"
"""The rows of segments and of the network of the date before."""


def baseline_chain(
    files: BaselineFiles,
    plan: BaselinePlan,
    dates: Sequence[HorizonDates],
    staging: StagingRoot,
    cores: int,
    shares: int,
) -> Chain:
    """Make the chain that makes the baselines of a date from their files, and stages its tables."""
    sources = dict(_sources(files))
    orders = spread(
        ((name, file) for name, source in sources.items() for file in source.files), cores
    )
    reads = _Reads(
        evolve(files, **{name: getattr(files, name).none() for name in (*_ROWS, *_CELLS)}),
        {name: source.none() for name, source in sources.items()},
    )
    by_host = {**dict.fromkeys(sources, ("host_ip",)), _FORMER_SCOPES: (SEGMENT,)}
    of_segments = (_USED_ROWS, _USED_CHANGES, _FORMER_SCOPES)
    by_segment = dict.fromkeys(of_segments, (SEGMENT,))
    of_all: dict[str, tuple[str, ...] | None] = dict.fromkeys((*of_segments, FILES), ())
    none = reads.files.frames().former_scopes
    segments = _Segments(_Scope(tables.SEGMENT, plan, staging, none))
    network = _Network(_Scope(tables.NETWORK, plan, staging, none))
    return Chain(
        (
            Step((Kernel("read", _Read(reads), shares=0),), orders),
            Step((Kernel("build", _Build(reads, plan, tuple(dates), staging), by_host, shares),)),
            Step((Kernel("segments", segments, {**by_segment, FILES: ()}, min(shares, cores)),)),
            Step((Kernel("network", network, of_all),)),
        ),
        ADDRESSES,
    )


def _sources(files: BaselineFiles) -> Iterator[tuple[str, FolderRows]]:
    """The names of all frames, and what is read for each."""
    for name in _ROWS:
        yield name, getattr(files, name)
    for name in _CELLS:
        for folder, of_folder in getattr(files, name).folders(HOST_FOLDERS).items():
            yield _of_folder(name, folder), of_folder


def _of_folder(name: str, folder: tuple[str, ...]) -> str:
    return " ".join((name, *folder))


@frozen
class _Reads:
    """What is read, without the files, which come with the orders."""

    files: BaselineFiles
    sources: Mapping[str, FolderRows]
    """By name of a frame."""

    @property
    def folders(self) -> list[tuple[str, ...]]:
        """The roles and bands of which there are histograms."""
        return sorted({tuple(name.split(" ")[1:]) for name in self.sources if name not in _ROWS})

    def frame(self, name: str, found: FolderRows) -> pl.LazyFrame:
        """Give some rows of a frame, in the columns that the kernel takes."""
        files = self.files
        if name == "summary_rows":
            return evolve(files, summary_rows=found).frames().rows
        if name == "former_rows":
            return evolve(files, former_rows=found).frames().former_rows
        if name.startswith("summary "):
            return files.cells(found, files.former).summaries
        return files.cells(files.summary, found).former


@frozen
class _Read:
    """Reads files, as rows that are to meet those of their host."""

    reads: _Reads

    def __call__(self, task: Task) -> Frames:
        number = task.addresses.number(pl.col("host_ip"))
        for name, found in read_folders(task.order or (), self.reads.sources):
            if name.startswith("former "):
                # A file has rows of hosts, or others: histograms are read once.
                scopes = found.frame(["scope"]).collect().get_column("scope")
                if (scopes != tables.HOST).any():
                    others = self.reads.files.former_scopes(found)
                    yield _FORMER_SCOPES, others.collect(engine="streaming")
                if (scopes != tables.HOST).all():
                    continue
            rows = self.reads.frame(name, found).with_columns(number)
            yield name, rows.collect(engine="streaming")


@frozen
class _Build:
    """Makes the baselines of the hosts of its share, and writes them."""

    reads: _Reads
    plan: BaselinePlan
    dates: tuple[HorizonDates, ...]
    staging: StagingRoot

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if not frames:
            return
        if _FORMER_SCOPES in frames:
            yield _FORMER_SCOPES, frames[_FORMER_SCOPES]
        share = BaselineShare.of(self._frames(frames, task), self.plan, self.dates)
        yield written(share.rows(), BASELINE_ROWS, self.staging, task.token)
        yield _USED_ROWS, share.used_rows()
        for cells in share.frames.cells:
            made, used = share.baselines(cells)
            yield written(made, BASELINE, self.staging, task.token, HISTOGRAMS)
            yield _USED_CHANGES, used

    def _frames(self, frames: dict[str, pl.DataFrame], task: Task) -> BaselineFrames:
        known = task.addresses.known(pl.col("host_ip"))
        none = self.reads.files.frames()
        no_cells = self.reads.files.cells(self.reads.files.summary, self.reads.files.former)

        def rows(name: str, otherwise: pl.LazyFrame) -> pl.LazyFrame:
            return frames[name].lazy().with_columns(known) if name in frames else otherwise

        cells = [
            CellFrames(
                rows(_of_folder("summary", folder), no_cells.summaries),
                rows(_of_folder("former", folder), no_cells.former),
            )
            for folder in self.reads.folders
        ]
        return BaselineFrames(
            rows("summary_rows", none.rows),
            rows("former_rows", none.former_rows),
            cells,
            none.former_scopes,
            task.addresses,
        )


@frozen
class _Scope:
    """Makes the baselines of segments, or of the network, and writes them."""

    scope: str
    plan: BaselinePlan
    staging: StagingRoot
    no_former: pl.LazyFrame

    def used(self, frames: Mapping[str, pl.DataFrame]) -> Used:
        """Put together what tasks of the step before made."""
        rows, changes = (
            [frames[name]] if name in frames else [] for name in (_USED_ROWS, _USED_CHANGES)
        )
        return Used.of(rows, changes, self.plan)

    def written(self, used: Used, frames: Mapping[str, pl.DataFrame], task: Task) -> Frames:
        """Write its tables: gives the files, and those of the steps before."""
        if FILES in frames:
            yield FILES, frames[FILES]
        known = frames.get(_FORMER_SCOPES)
        former = self.no_former if known is None else known.lazy()
        baseline, baseline_rows = scope_tables(used, self.scope, self.plan, former)
        name = f"{self.scope}-{task.token}"
        yield written(baseline, BASELINE, self.staging, name, HISTOGRAMS)
        yield written(baseline_rows, BASELINE_ROWS, self.staging, name)


@frozen
class _Segments:
    """Makes the baselines of the segments of its share, and writes them."""

    segments: _Scope

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        used = self.segments.used(frames)
        yield from self.segments.written(used, frames, task)
        of_network = used.network(self.segments.plan)
        yield _USED_ROWS, of_network.rows
        yield _USED_CHANGES, of_network.changes
        if _FORMER_SCOPES in frames:
            is_network = pl.col("scope") == tables.NETWORK
            yield _FORMER_SCOPES, frames[_FORMER_SCOPES].filter(is_network)


@frozen
class _Network:
    """Makes the baselines of the network, and names the files of all."""

    network: _Scope

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        yield from self.network.written(self.network.used(frames), frames, task)

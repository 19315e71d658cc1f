"""Windows as a chain of kernels: some tasks read files, others build the windows of a share of the hosts each.

Where a window is a whole day long, a step before counts the hosts of each peer: every share of the hosts needs that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.features.delta_rows import added_up, largest, ranked
from ndr_adapters.polars.features.frames import HistoryRows, IntervalRows, WindowFrames
from ndr_adapters.polars.features.intervals import Interval
from ndr_adapters.polars.features.numbered import MASK, PAIR_VALUES, pair_histograms
from ndr_adapters.polars.features.prevalence import Prevalence, prevalence_of
from ndr_adapters.polars.features.window_files import HISTORY, ContactFiles, WindowFiles
from ndr_adapters.polars.features.window_kernel import Anchor, build_windows
from ndr_adapters.polars.scan import Scanner
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.file_rows import ADDRESSES, BuiltHosts, read, spread
from ndr_adapters.spark.fanout.staged import written
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.features.networks import Hosts, Networks
from ndr_core.history.tables import HOST_PEER_HISTORY
from ndr_core.publishing.manifest import OutputFile
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan
from ndr_core.windows.tables import BEACON

_OF_HISTORY: Final = "contacts of the history"
_OF_SLICES: Final = "contacts of slices"
_CONTACTS: Final = "contacts"
"""`host_ip` and `peer_ip` of those who contacted peers in the days that count for prevalence."""
_PEERS: Final = "peers"
"""As `Prevalence.peers`, of each share of the hosts."""
_SEEN: Final = "hosts seen"
"""As `Prevalence.hosts_seen`, of each share of the hosts."""


@frozen
class _Source:
    """What is read of the files of a frame."""

    scanner: Scanner
    columns: tuple[str, ...]
    histograms: tuple[pl.Expr, ...] = ()

    def chosen(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.select(*self.columns, *self.histograms)


def window_chain(
    files: WindowFiles,
    plan: WindowPlan,
    anchor: Anchor,
    staging: StagingRoot,
    cores: int,
    shares: int,
) -> Chain:
    """Make the chain that builds the windows of an anchor from their files, and stages its tables."""
    sources = dict(_sources(files, plan, anchor))
    orders = spread(_files(files), cores)
    reading = Kernel("read", _Read(plan, sources), shares=0)
    takes: dict[str, tuple[str, ...] | None] = dict.fromkeys(sources, ("host_ip",))
    steps = []
    if anchor.day_history is None:
        steps.append(Step((reading,), orders))
    else:
        contacts = files.contacts(anchor.day_history)
        days = evolve(contacts, history=None, pairs=())
        finding = _Find(plan.networks, days, _contact_scanners(files, contacts))
        count = Kernel("count", _Count(plan.networks), {_CONTACTS: ("host_ip",)}, shares)
        found = spread(_contact_files(contacts), cores)
        steps.append(Step((Kernel("find", finding, shares=0),), found))
        steps.append(Step((reading, count), orders))
        takes |= {_PEERS: None, _SEEN: None}
    build = Kernel("build", _Build(plan, anchor, staging, sources), takes, shares)
    return Chain((*steps, Step((build,))), ADDRESSES)


def _of_interval(table: str, interval: Interval, role: str) -> str:
    return f"{table} {interval.bit} {role}"


def _of_day(table: str, day: int, role: str) -> str:
    return f"{table} {day} {role}"


def _sources(files: WindowFiles, plan: WindowPlan, anchor: Anchor) -> Iterator[tuple[str, _Source]]:
    """The names of all frames, and what is read of each."""
    measures = plan.measures
    histograms = [one.histogram for one in (*ranked(measures), *largest(measures))]
    deltas = _Source(files.deltas.scanner, ("host_ip", *added_up(measures), *histograms))
    for interval in files.intervals.parts:
        for role in ROLE_NAMES:
            if interval.window is not None:
                yield _of_interval(DELTA, interval, role), deltas
            pairs = _pair_source(files.pairs.scanner, interval, role, plan, anchor)
            yield _of_interval(PAIR.name, interval, role), pairs
    for day, tables in files.history.items():
        for one in tables:
            scanner = Scanner.of_table(one.root, one.table)
            columns = tuple(key for key in one.table.keys if key in _HISTORY_KEYS)
            for role in ROLE_NAMES:
                yield _of_day(one.table.name, day, role), _Source(scanner, (*columns, MASK))


_HISTORY_KEYS: Final = ("host_ip", "peer_ip", "peer_port", "segment")


def _pair_source(
    scanner: Scanner, interval: Interval, role: str, plan: WindowPlan, anchor: Anchor
) -> _Source:
    keys = ("host_ip", "peer_ip", "peer_port")
    if interval.window is None:
        return _Source(scanner, keys)
    histograms = pair_histograms(role, plan, has_day=anchor.has_day)
    return _Source(scanner, (*keys, "slice_start_ts", *PAIR_VALUES), tuple(histograms))


def _files(files: WindowFiles) -> Iterator[tuple[str, OutputFile]]:
    """All files, each with the name of the frame of its rows."""
    for interval in files.intervals.parts:
        for role in ROLE_NAMES:
            if interval.window is not None:
                for file in files.deltas.files(interval, role):
                    yield _of_interval(DELTA, interval, role), file
            for file in files.pairs.files(interval, role):
                yield _of_interval(PAIR.name, interval, role), file
    for day, tables in files.history.items():
        for one in tables:
            for file in one.files:
                yield _of_day(one.table.name, day, file.partition["role"]), file


def _contact_files(contacts: ContactFiles) -> Iterator[tuple[str, OutputFile]]:
    if contacts.history is not None:
        yield from ((_OF_HISTORY, file) for file in contacts.history.files)
    yield from ((_OF_SLICES, file) for file in contacts.pairs)


def _contact_scanners(files: WindowFiles, contacts: ContactFiles) -> dict[str, Scanner]:
    scanners = {_OF_SLICES: files.pairs.scanner}
    if contacts.history is not None:
        scanners[_OF_HISTORY] = Scanner.of_table(contacts.history.root, HOST_PEER_HISTORY)
    return scanners


@frozen
class _Find:
    """Reads who contacted peers in the days that count for prevalence."""

    networks: Networks
    contacts: ContactFiles
    """Without the files, which come with the orders."""
    scanners: Mapping[str, Scanner]

    def __call__(self, task: Task) -> Frames:
        numbers = task.addresses.number(pl.col("host_ip", "peer_ip"))
        internal = BuiltHosts(Hosts.INTERNAL, self.networks, task.addresses)
        for name, _, rows in read(task.order or (), self.scanners):
            active = self.contacts.active(rows) if name == _OF_HISTORY else rows
            found = active.select(numbers).unique().collect(engine="streaming")
            yield _CONTACTS, internal.rows(found)


@frozen
class _Count:
    """Counts the hosts of its share that contacted each peer."""

    networks: Networks

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        if not frames:
            return
        known = frames[_CONTACTS].lazy().with_columns(task.addresses.known(pl.col(*ADDRESSES)))
        counted = prevalence_of([known], self.networks, task.addresses)
        yield _PEERS, counted.peers.with_columns(task.addresses.number(pl.col("peer_ip")))
        yield _SEEN, pl.DataFrame({"hosts_seen": [counted.hosts_seen]})


@frozen
class _Read:
    """Reads files, as rows that are to meet those of their host."""

    plan: WindowPlan
    sources: Mapping[str, _Source]

    def __call__(self, task: Task) -> Frames:
        scanners = {name: source.scanner for name, source in self.sources.items()}
        built = BuiltHosts(self.plan.hosts, self.plan.networks, task.addresses)
        for name, _, rows in read(task.order or (), scanners):
            source = self.sources[name]
            addresses = [column for column in source.columns if column in ADDRESSES]
            numbers = task.addresses.number(pl.col(addresses))
            found = source.chosen(rows).with_columns(numbers).collect(engine="streaming")
            yield name, built.rows(found)


@frozen
class _Build:
    """Builds the windows of the hosts of its share, and writes them."""

    plan: WindowPlan
    anchor: Anchor
    staging: StagingRoot
    sources: Mapping[str, _Source]

    def __call__(self, task: Task) -> Frames:
        frames = task.gathered()
        prevalence = self._prevalence(frames, task)
        if not any(name.startswith(f"{DELTA} ") for name in frames):
            return  # only hosts with deltas have windows
        built = build_windows(self._rows(frames, task), self.plan, self.anchor, prevalence)
        for number, part in enumerate(built):
            for rows, table in ((part.fg_a, self.plan.fg_a), (part.beacons, BEACON)):
                name = f"{task.token}-{number:05}"
                yield written(rows.sort(table.keys), table, self.staging, name)

    def _prevalence(self, frames: dict[str, pl.DataFrame], task: Task) -> Prevalence | None:
        """Put together what was counted of all shares, out of the frames of this one."""
        if self.anchor.day_history is None:
            return None
        peers = frames.pop(_PEERS, _NO_PEERS)
        seen = frames.pop(_SEEN, _NONE_SEEN).get_column("hosts_seen").sum()
        named = peers.with_columns(task.addresses.text(pl.col("peer_ip")))
        return Prevalence.total(named, int(seen))

    def _rows(self, frames: dict[str, pl.DataFrame], task: Task) -> WindowFrames:
        """Take the frames away, as rows of windows: so their memory is free once the rows are not needed."""

        def rows(name: str) -> pl.LazyFrame:
            source = self.sources[name]
            if name not in frames:
                return source.chosen(source.scanner.no_rows())
            addresses = [column for column in source.columns if column in ADDRESSES]
            # Rows with histograms are picked ten times as fast out of one piece as out of many.
            whole = frames.pop(name).rechunk().lazy()
            return whole.with_columns(task.addresses.known(pl.col(addresses)))

        of_intervals = (
            IntervalRows(
                one,
                role,
                rows(_of_interval(PAIR.name, one, role)),
                None if one.window is None else rows(_of_interval(DELTA, one, role)),
            )
            for one in self.anchor.intervals.parts
            for role in ROLE_NAMES
        )
        history = (
            HistoryRows(
                day, role, {one.name: rows(_of_day(one.name, day, role)) for one in HISTORY}
            )
            for day in self.anchor.bases
            for role in ROLE_NAMES
        )
        return WindowFrames(tuple(of_intervals), tuple(history), task.addresses)


_NO_PEERS: Final = pl.DataFrame(schema={"peer_ip": pl.UInt32(), "prevalence_hosts": pl.Int64()})
_NONE_SEEN: Final = pl.DataFrame(schema={"hosts_seen": pl.Int64()})

"""Rows of the parts of a table -> one row per key: `deltas.merge` of the core, compiled for Polars.

Functions of frames. Rows may be shared out by any of the columns by which they merge, such as `host_ip`, and each
share merged by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars import aggregate, cell_counts, derive, pair_timing
from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.keys import PackedKey, grouped, packed_keys
from ndr_adapters.polars.views import HOST
from ndr_core.deltas.tables import CELL_SUMS, PAIR, delta_table
from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX
from ndr_core.measures.kinds import Derived, Distribution, Measure, cell_aggregates, of_kind
from ndr_core.tables.columns import Merge, OutputColumn
from ndr_core.times import MINUTE_US, iso_text, to_us

SLICE_KEYS: Final = ("feature_spec_version", "slice_start_ts", "role", "host_ip")
"""What makes a row of the delta table, where several versions of the features lie in one output."""

_CELL_SUMS: Final = dict(zip(CELL_SUMS, ("sessions", "bytes"), strict=True))

CELL_COLUMNS: Final = ("peer_ip", "peer_port", *CELL_SUMS)
"""What `merge_deltas` reads of pairs, beside the keys."""

PAIR_KEYS: Final = (*SLICE_KEYS, "peer_ip", "peer_port")


@frozen
class Keys:
    """The columns by which rows merge."""

    names: tuple[str, ...]
    """Texts without nulls, and moments of whole minutes."""
    place: str = "slice"
    """What messages call the time that `start` begins."""
    start: str = "slice_start_ts"

    def where(self, row: Mapping[str, Any]) -> str:
        """Name a row in the message of an overflow, as `deltas.tables.row_place` does."""
        start = f"{self.place} from {iso_text(to_us(row[self.start]))}"
        if "host_ip" not in row:
            return f"role {row['role']} ({start})"
        seen = f"{row['role']}, " if "role" in row else ""
        return f"host {row['host_ip']} ({seen}{start})"


def merge_pairs(rows: pl.LazyFrame, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """Merge rows of pair files to one per pair and slice, in no order. `columns`: those to give, all for None.

    Raises OverflowingColumnError where a sum leaves int64.
    """
    known = rows.collect_schema().names()
    wanted = set(known if columns is None else columns)
    merged = [
        column
        for column in PAIR.columns
        if column.name in wanted and column.name in known and column.name not in PAIR_KEYS
    ]
    number = pl.len().alias(pair_timing.ROWS)
    grouped_rows = rows.group_by(PAIR_KEYS).agg(*map(_merged, merged), number)
    histograms = [column.name for column in merged if column.merge is Merge.HISTOGRAM]
    found = pair_timing.added(grouped_rows.collect(engine="streaming"), histograms)
    return _within_int64(found, merged, Keys(PAIR_KEYS)).select(
        column.name for column in PAIR.columns if column.name in wanted.intersection(known)
    )


def _merged(column: OutputColumn) -> pl.Expr:
    """The value of a column of all rows of a key: sums in 128 bits, which can't overflow; cells of histograms."""
    values = pl.col(column.name)
    match column.merge:
        case Merge.KEY:
            return values.first()
        case Merge.SUM:
            return pl.when(values.null_count() == 0).then(values.cast(pl.Int128).sum())
        case Merge.MAX:
            return pl.when(values.null_count() == 0).then(values.max())
        case Merge.HISTOGRAM:
            return pair_timing.gathered(column.name)
    raise ValueError(f"{column.name}: {column.merge.value}")


def _within_int64(rows: pl.DataFrame, columns: Iterable[OutputColumn], keys: Keys) -> pl.DataFrame:
    """Give sums as int64. Raises OverflowingColumnError for the first row, by its keys, with a sum that leaves it."""
    sums = [column.name for column in columns if column.merge is Merge.SUM]
    if not sums:
        return rows
    leaves = [(pl.col(name) > INT64_MAX).fill_null(False).alias(name) for name in sums]
    too_large = rows.filter(pl.any_horizontal(leaves))
    if not too_large.is_empty():
        first = too_large.sort(keys.names).head(1)
        flags = first.select(leaves).row(0, named=True)
        column = next(name for name, leaves_it in flags.items() if leaves_it)
        raise OverflowingColumnError(column, keys.where(first.row(0, named=True)))
    return rows.with_columns(pl.col(sums).cast(pl.Int64))


def merge_deltas(
    deltas: pl.LazyFrame,
    pairs: pl.LazyFrame,
    keys: Keys,
    measures: Sequence[Measure],
    columns: Iterable[str],
) -> pl.DataFrame:
    """Merge rows of delta files to one per key, in no order, with these of the columns of their table.

    `deltas`: is read several times, some columns each, and must give its rows in one order; `pairs`: rows of pair
    files of the same records, merged or not, read only for columns that are derived from them; `measures`: those of
    the delta rows. Raises OverflowingColumnError where a sum leaves int64, also over all pairs of a host.
    """
    wanted = set(columns)
    chosen = needed_measures(measures, wanted)
    numbers = _Numbers.of(deltas, keys)
    table = delta_table(chosen)
    stored = [
        column
        for column in table.columns
        if column.merge in (Merge.KEY, Merge.SUM, Merge.MAX)
        and column.name not in keys.names
        and (column.merge is Merge.SUM or column.name in wanted)
    ]
    hosts = _within_int64(numbers.merged(deltas, stored), stored, keys)
    cells = _cells(numbers, pairs, hosts, chosen)
    rows = derive.derived_rows(hosts, cells, chosen)
    for item in of_kind(chosen, Distribution):
        rows = rows.with_columns(numbers.histogram(deltas, hosts, item))
    names = (*keys.names, *(one.name for one in table.columns if one.name not in keys.names))
    return rows.select(name for name in names if name in wanted)


def needed_measures(measures: Sequence[Measure], columns: AbstractSet[str]) -> tuple[Measure, ...]:
    """Give the measures from which some columns are made, with no readouts but these."""
    wanted = [one for one in measures if any(item.name in columns for item in one.columns())]
    names = {one.name for one in wanted}
    names.update(name for one in of_kind(wanted, Derived) for name in one.needs)
    chosen = (one for one in measures if one.name in names)
    return tuple(
        evolve(one, readouts=tuple(out for out in one.readouts if out.name in columns))
        if isinstance(one, Distribution)
        else one
        for one in chosen
    )


@frozen
class _Numbers:
    """The keys of delta rows as one number each: HOST."""

    keys: Keys
    addresses: Mapping[str, Addresses]
    """Key that is a text -> the numbers of its texts."""
    key: PackedKey
    hosts: pl.Series
    """HOST of each delta row."""

    @classmethod
    def of(cls, deltas: pl.LazyFrame, keys: Keys) -> _Numbers:
        schema = deltas.collect_schema()
        addresses = {name: Addresses() for name in keys.names if schema[name] == pl.String}
        found = deltas.select(_numbered(keys, addresses)).collect().lazy()
        packed = packed_keys(found, keys.names)
        assert len(packed) == 1, "keys of the rows that are in memory at once fit into 64 bits"
        hosts = found.select(_host(packed[0])).collect().to_series()
        return cls(keys, addresses, packed[0], hosts)

    def merged(self, deltas: pl.LazyFrame, columns: Sequence[OutputColumn]) -> pl.DataFrame:
        """Merge columns to one row per key, sorted by HOST, and name the keys."""
        values = deltas.select(column.name for column in columns).collect()
        rows = pl.DataFrame([self.hosts, *values.get_columns()])
        found = rows.lazy().group_by(HOST).agg(map(_merged, columns)).sort(HOST)
        named = found.with_columns(self.key.unpacked(HOST)).with_columns(self._names())
        return named.collect()

    def _names(self) -> Iterator[pl.Expr]:
        for name in self.keys.names:
            if name in self.addresses:
                yield self.addresses[name].text(pl.col(name)).alias(name)
            else:
                us = pl.from_epoch(pl.col(name).cast(pl.Int64) * MINUTE_US, time_unit="us")
                yield us.dt.replace_time_zone("UTC").alias(name)

    def of_pairs(self, pairs: pl.LazyFrame) -> pl.DataFrame:
        """Give the pairs of the delta rows: HOST, `peer_ip` as a number, `peer_port`, `sessions` and `bytes`."""
        peers = Addresses()
        rows = pairs.select(
            *_numbered(self.keys, self.addresses),
            peers.number(pl.col("peer_ip")),
            "peer_port",
            *(pl.col(name).alias(cell) for name, cell in _CELL_SUMS.items()),
        )
        # Others than those of the delta rows have no place in a key.
        known = (
            pl.col(part.name).is_between(part.least, part.least + (1 << part.bits) - 1)
            for part in self.key.columns
        )
        return (
            rows.filter(*known)
            .select(_host(self.key), "peer_ip", "peer_port", *_CELL_SUMS.values())
            .collect(engine="streaming")
        )

    def histogram(
        self, deltas: pl.LazyFrame, hosts: pl.DataFrame, item: Distribution
    ) -> list[pl.Series]:
        """Merge a histogram, and read off it, aligned with the hosts; where one row has none, all is null."""
        rows = deltas.select(item.histogram).collect().with_columns(self.hosts)
        cells = (
            rows.lazy()
            .filter(pl.col(item.histogram).list.len() > 0)
            .explode(item.histogram)
            .select(HOST, pl.col(item.histogram).struct.unnest())
        )
        columns = derive.finish_histogram(cell_counts.added_cells(cells), hosts, item)
        unknown = rows.filter(pl.col(item.histogram).is_null()).get_column(HOST)
        if unknown.is_empty():
            return columns
        known = ~pl.col(HOST).is_in(unknown.unique().implode())
        masked = hosts.select(HOST).with_columns(columns)
        return masked.select(
            pl.when(known).then(pl.col(column.name)).alias(column.name) for column in columns
        ).get_columns()


def _numbered(keys: Keys, addresses: Mapping[str, Addresses]) -> Iterator[pl.Expr]:
    for name in keys.names:
        if name in addresses:
            yield addresses[name].number(pl.col(name)).alias(name)
        else:
            yield (pl.col(name).dt.epoch("us") // MINUTE_US).alias(name)


def _host(key: PackedKey) -> pl.Expr:
    return key.packed().cast(pl.Int64).alias(HOST)


def _cells(
    numbers: _Numbers, pairs: pl.LazyFrame, hosts: pl.DataFrame, measures: Sequence[Measure]
) -> list[pl.DataFrame]:
    """Aggregates over the distinct peers and ports of each host, those that the measures need."""
    needed = cell_aggregates(measures)
    if not needed:
        return []
    rows = numbers.of_pairs(pairs)
    _check_cells(rows, hosts, numbers.keys)
    found = []
    for key, aggregates in needed.items():
        known = rows.lazy().filter(pl.col(key).is_not_null())
        cells = grouped(known, (HOST, key), [pl.sum(*_CELL_SUMS.values())])
        found.append(aggregate.summarized(cells.collect(engine="streaming"), aggregates))
    return found


def _check_cells(rows: pl.DataFrame, hosts: pl.DataFrame, keys: Keys) -> None:
    """Raise OverflowingColumnError for the first host whose pairs have a sum that leaves int64."""
    sums = [pl.col(cell).cast(pl.Int128).sum().alias(name) for name, cell in _CELL_SUMS.items()]
    # Sums of no host leave it where that of all does not.
    if max(rows.select(sums).row(0)) > INT64_MAX:
        columns = [column for column in PAIR.columns if column.name in _CELL_SUMS]
        by_host = rows.group_by(HOST).agg(sums)
        named = hosts.select(HOST, *keys.names).join(by_host, on=HOST)
        _within_int64(named, columns, keys)

"""Several columns of small integers as one key: one key is grouped and sorted faster than several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

_KEY_BITS: Final = 64


@frozen
class Packed:
    """A column within a key: its values lie less than 2^`bits` above `least`."""

    name: str
    dtype: pl.DataType
    least: int
    bits: int


@frozen
class PackedKey:
    """Columns of integers as one unsigned integer, which sorts as they do, the first column first."""

    columns: tuple[Packed, ...]

    def packed(self) -> pl.Expr:
        """Give the key of a row."""
        key = _number(0)
        for column in self.columns:
            above = pl.col(column.name).cast(pl.UInt64) - _number(column.least)
            key = key * _number(1 << column.bits) + above
        return key

    def unpacked(self, key: str) -> list[pl.Expr]:
        """Give the columns again, from a column of keys."""
        parts = []
        below = 0
        for column in reversed(self.columns):
            above = pl.col(key) // _number(1 << below) % _number(1 << column.bits)
            value = above + _number(column.least)
            parts.append(value.cast(column.dtype).alias(column.name))
            below += column.bits
        return parts


def packed_keys(rows: pl.LazyFrame, columns: Sequence[str]) -> tuple[PackedKey, ...]:
    """Give as few keys as hold the columns of these rows. `columns`: integers from 0 to 2^63 - 1, no null."""
    chosen = rows.select(columns)
    dtypes = chosen.collect_schema()
    ends = chosen.select(pl.all().min().name.prefix("least "), pl.all().max())
    found = ends.collect(engine="streaming").row(0)
    least, largest = found[: len(columns)], found[len(columns) :]
    keys: list[tuple[Packed, ...]] = []
    room = 0
    for name, low, high in zip(columns, least, largest, strict=True):
        # Rows that there are none of have no least value.
        bits = 0 if low is None else (high - low).bit_length()
        if bits > room or not keys:
            keys.append(())
            room = _KEY_BITS
        keys[-1] += (Packed(name, dtypes[name], low or 0, bits),)
        room -= bits
    return tuple(map(PackedKey, keys))


def order_by(rows: pl.DataFrame) -> pl.Series:
    """Give the places of rows in the order of their columns, the first one first. Columns: as in `packed_keys`."""
    packed = [key.packed() for key in packed_keys(rows.lazy(), rows.columns)]
    return rows.select(pl.arg_sort_by(packed)).to_series()


def grouped(
    rows: pl.LazyFrame,
    columns: Sequence[str],
    aggregates: Iterable[pl.Expr],
    *,
    in_order: bool = False,
) -> pl.LazyFrame:
    """Rows grouped by columns of integers, which become as few keys as they can; `in_order`: sorted by them."""
    keys = {f"key_{number}": key for number, key in enumerate(packed_keys(rows, columns))}
    packed = rows.with_columns(key.packed().alias(name) for name, key in keys.items())
    grouped = packed.group_by(*keys).agg(*aggregates)
    if in_order:
        grouped = grouped.sort(*keys)
    unpacked = (part for name, key in keys.items() for part in key.unpacked(name))
    return grouped.with_columns(unpacked).drop(*keys)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows sorted by all of their columns, the first one first. Columns: as in `packed_keys`."""
    keys = packed_keys(rows.lazy(), rows.columns)
    if len(keys) > 1:
        return rows.sort(rows.columns)
    ordered = rows.lazy().select(keys[0].packed().alias("key").sort())
    return ordered.select(keys[0].unpacked("key")).select(rows.columns).collect()


def distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the distinct rows of columns of integers, as `packed_keys` takes them, sorted by these."""
    keys = packed_keys(rows.lazy(), rows.columns)
    if len(keys) > 1:
        return rows.unique().sort(rows.columns)
    # Equal keys lie behind each other once sorted, which is faster than a table of them.
    ordered = rows.lazy().select(keys[0].packed().alias("key").sort())
    first = ordered.filter((pl.col("key") != pl.col("key").shift(1)).fill_null(True))
    return first.select(keys[0].unpacked("key")).select(rows.columns).collect()


def with_keys_of(rows: pl.DataFrame, others: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Give the rows whose keys others have, too. `columns`: the keys, as `packed_keys` takes them, alike in both."""
    keys = _alike(rows, others, columns)
    names = [key.meta.output_name() for key in keys]
    wanted = others.lazy().select(keys)
    found = rows.lazy().with_columns(keys).join(wanted, on=names, how="semi", maintain_order="left")
    return found.drop(names).collect()


def are_met(rows: pl.DataFrame, others: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Tell of each row whether others have its key. `columns`: as `with_keys_of` takes them."""
    keys = _alike(rows, others, columns)
    own = rows.select(keys)
    # Most others have the key of no row: those left are few.
    met = others.lazy().select(keys).join(own.lazy(), on=own.columns, how="semi")
    if own.width == 1:
        (name,) = own.columns
        found = met.collect(engine="streaming").get_column(name)
        return own.get_column(name).is_in(found.implode())
    flagged = met.unique().with_columns(pl.lit(True).alias(_IS_MET))
    marked = own.lazy().join(flagged, on=own.columns, how="left", maintain_order="left")
    return marked.collect().get_column(_IS_MET).is_not_null()


def places_in(others: pl.DataFrame, rows: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Give where others have the key of each row, null where they don't.

    `columns`: the keys, as `packed_keys` takes them, alike in both. Of others with one key any may be found.
    """
    keys = _alike(rows, others, columns)
    own = rows.select(keys)
    placed = others.lazy().select(keys).with_row_index(_PLACE)
    if own.width > 1:
        first = placed.unique(own.columns, keep="any")
        found = own.lazy().join(first, on=own.columns, how="left", maintain_order="left")
        return found.collect().get_column(_PLACE)
    # Most others have the key of no row. Those left are few to sort, and to search them is faster than to join.
    (name,) = own.columns
    met = placed.join(own.lazy(), on=name, how="semi").sort(name).collect(engine="streaming")
    nearest = met.get_column(name).search_sorted(own.get_column(name))
    with_none = pl.concat([met, met.clear(1)])
    is_met = with_none.get_column(name).gather(nearest) == own.get_column(name)
    place = with_none.get_column(_PLACE).gather(nearest)
    return pl.select(pl.when(is_met).then(place)).to_series()


def _alike(rows: pl.DataFrame, others: pl.DataFrame, columns: Sequence[str]) -> list[pl.Expr]:
    """The keys of both, packed alike."""
    both = pl.concat([rows.lazy().select(columns), others.lazy().select(columns)])
    packed = packed_keys(both, columns)
    return [key.packed().alias(f"key_{number}") for number, key in enumerate(packed)]


_PLACE: Final = "place"
_IS_MET: Final = "is_met"


def _number(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)

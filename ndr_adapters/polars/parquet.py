"""Rows of Parquet -> judged records: by typed columns, of which only those that matter are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from attrs import define, field

from ndr_adapters.parquet_files import row_frames, row_objects
from ndr_adapters.polars import quality
from ndr_adapters.polars.feed import Feed
from ndr_adapters.polars.object_rows import rows_of
from ndr_adapters.polars.row_texts import row_texts
from ndr_adapters.polars.typed import TypedReader
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.object_reader import ObjectReader
from ndr_core.flows.outcome import UNFIT
from ndr_core.flows.source import InputBatch, InputFile, naming


def row_feed(batch: InputBatch, plan: DeltaPlan) -> Feed:
    """The judged records of a batch, each by itself: duplicates are still to be found."""
    reader = RowReader(plan)

    def make() -> Iterator[pl.DataFrame]:
        for file in batch.files:
            for frame in reader.judged(file, batch.read_pieces(file)):
                batch.meter.add(records=frame.height)
                yield frame

    return Feed(make, reader.judge(pl.DataFrame()).schema)


@define
class RowReader:
    """Reads rows under one plan."""

    plan: DeltaPlan
    _typed: TypedReader = field(init=False)
    _objects: ObjectReader = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._typed = TypedReader(self.plan)
        self._objects = ObjectReader(self.plan.input, self.plan.key_columns)

    def judged(self, file: InputFile, pieces: Iterator[bytes]) -> Iterator[pl.DataFrame]:
        """Give the judged records of a file by its bytes. An UnreadableFileError names the file."""
        with naming(file):
            for rows in row_frames(pieces):
                yield self.judge(rows)

    def judge(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give the judged records of some rows; `line` is the text of their objects, where something needs it."""
        line = pl.lit(None, dtype=pl.String).alias("line")
        flows = quality.with_moment(self.read(rows).lazy().with_columns(line), self.plan)
        judged = quality.judge(flows, self.plan).collect(engine="in-memory")
        is_needed = pl.col("rule").is_not_null()
        if self.plan.deduplicate_on:
            is_needed |= quality.may_be_duplicate(self.plan)
        needed = judged.select(is_needed).to_series()
        return judged.with_columns(_texts(rows, needed).alias("line"))

    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give flow fields, keys, `outcome` and `fault` of some rows."""
        return self._carefully(rows, self._typed.read(self._columns(rows), rows.height))

    def _carefully(self, rows: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
        """Have the core read the rows that are left."""
        unfit = (read["outcome"] == UNFIT).arg_true()
        if unfit.is_empty():
            return read
        found = rows_of(map(self._objects.read, row_objects(rows[unfit])), self.plan)
        return read.with_columns(read[name].scatter(unfit, found[name]) for name in found.columns)

    def _columns(self, rows: pl.DataFrame) -> dict[Leaf, pl.Series]:
        """The columns of the leaves that matter, as far as there are some."""
        found = {leaf: _column(rows, leaf) for leaf in self._typed.leaves}
        return {leaf: column for leaf, column in found.items() if column is not None}


def _texts(rows: pl.DataFrame, needed: pl.Series) -> pl.Series:
    """The texts of the objects of some rows; null for the others."""
    texts = pl.repeat(None, rows.height, dtype=pl.String, eager=True)
    places = needed.arg_true()
    if places.is_empty():
        return texts
    if len(places) == rows.height:
        return row_texts(rows)
    return texts.scatter(places, row_texts(rows[places]))


def _column(rows: pl.DataFrame, leaf: Leaf) -> pl.Series | None:
    """The column of a leaf; None where no row has a value there."""
    if leaf[0] not in rows.columns:
        return None
    found = rows[leaf[0]]
    for name in leaf[1:]:
        if isinstance(found.dtype, pl.Map):
            return found  # what its keys are, only the core can tell
        if not isinstance(found.dtype, pl.Struct) or name not in found.struct.fields:
            return None
        found = found.struct.field(name)
    match found.dtype:
        case pl.Null():
            return None
        case pl.Categorical() | pl.Enum():
            return found.cast(pl.String)
    return found.cast(pl.Float64) if found.dtype.is_float() else found

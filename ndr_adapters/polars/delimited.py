"""Delimited lines -> flow records as read: cut into parts, of which only those that matter are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl
from attrs import define, field

from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.lines import HEAD
from ndr_adapters.polars.object_rows import rows_of
from ndr_adapters.polars.texts import header_by
from ndr_adapters.polars.typed import TypedReader
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.delimited import PATH, Header
from ndr_core.flows.json_text import BLANKS
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.object_reader import BadValue, ObjectReader, Skipped
from ndr_core.flows.outcome import BLANK, MALFORMED, UNFIT
from ndr_core.flows.record import FlowRecord

_PLACE: Final = "place"
_MOST_HEADERS: Final = 16
"""Of one block of lines, to be read by columns: each costs some milliseconds."""


def read_delimited(lines: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault), `line` and HEAD.

    `lines`: the columns `line`, text, `void`, whether it is too long or was no UTF-8, and HEAD.
    """
    reader = _DelimitedReader(plan)
    schema = {"line": pl.String(), HEAD: pl.String(), **columns_of(plan)}
    return lines.map_batches(reader.read, schema=schema, streamable=True)


@define
class _DelimitedReader:
    """Reads blocks of lines."""

    plan: DeltaPlan
    _typed: TypedReader = field(init=False)
    _objects: ObjectReader = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._typed = TypedReader(self.plan)
        self._objects = ObjectReader(self.plan.input, self.plan.key_columns)

    def read(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Columns: `line`, HEAD and those of read lines, in the order of the lines."""
        heads = lines[HEAD].unique(maintain_order=True)
        if len(heads) == 1:
            return self._read(lines)
        numbered = lines.with_row_index(_PLACE)
        parts = [
            self._read(part).with_columns(part[_PLACE])
            for part in _byheader_by(numbered, heads.head(_MOST_HEADERS))
        ]
        return pl.concat(parts).sort(_PLACE).drop(_PLACE)

    def _read(self, lines: pl.DataFrame) -> pl.DataFrame:
        """As `read`, of lines with one header; of several, none is read by its columns."""
        heads = lines[HEAD].unique()
        if len(heads) == 1:
            read = self._by_columns(lines, header_by(heads.item()))
        else:
            read = pl.DataFrame(schema=columns_of(self.plan)).clear(lines.height)
            read = read.with_columns(pl.lit(UNFIT, dtype=pl.Int64).alias("outcome"))
        blank = pl.col("line").str.strip_chars(BLANKS) == ""
        outcome = pl.when("void").then(MALFORMED).when(blank).then(BLANK).otherwise("outcome")
        found = pl.concat([lines, read], how="horizontal").with_columns(outcome.alias("outcome"))
        return self._carefully(found.select("line", HEAD, *columns_of(self.plan)))

    def _by_columns(self, lines: pl.DataFrame, header: Header) -> pl.DataFrame:
        """Read lines by their parts; MALFORMED are those that have another number of parts."""
        last = {name: number for number, name in enumerate(header.names)}
        places: dict[Leaf, int] = {
            leaf: last[leaf[0]] for leaf in self._typed.leaves if len(leaf) == 1 and leaf[0] in last
        }
        parts = _cut(lines["line"], header, max(places.values(), default=0))
        columns: dict[Leaf, pl.Series] = {
            leaf: _values(parts[str(place)], header) for leaf, place in places.items()
        }
        path = (PATH,)
        if header.path is not None and path in self._typed.leaves and path not in places:
            columns[path] = pl.repeat(header.path, lines.height, eager=True)
        read = self._typed.read(columns, lines.height)
        outcome = pl.when(parts["whole"]).then("outcome").otherwise(MALFORMED)
        return read.with_columns(outcome.alias("outcome"))

    def _carefully(self, read: pl.DataFrame) -> pl.DataFrame:
        """Have the core read the lines that are left."""
        unfit = (read["outcome"] == UNFIT).arg_true()
        if unfit.is_empty():
            return read
        left = read.select("line", HEAD).gather(unfit)
        found = rows_of(map(self._record, left["line"], left[HEAD]), self.plan)
        return read.with_columns(read[name].scatter(unfit, found[name]) for name in found.columns)

    def _record(self, line: str, head: str) -> Skipped | BadValue | FlowRecord | None:
        value = header_by(head).object(line)
        return None if value is None else self._objects.read(value)


def _byheader_by(lines: pl.DataFrame, heads: pl.Series) -> Iterable[pl.DataFrame]:
    """The lines of each header, and those of all others."""
    for head in heads:
        yield lines.filter(pl.col(HEAD) == head)
    rest = lines.filter(~pl.col(HEAD).is_in(heads.to_list()))
    if not rest.is_empty():
        yield rest


def _cut(lines: pl.Series, header: Header, last: int) -> pl.DataFrame:
    """The parts of lines up to the last one that matters, by their number, and `whole`: whether none is missing."""
    count = len(header.names)
    pieces = min(last + 2, count) or 1
    names = [str(number) for number in range(pieces)]
    parts = lines.str.splitn(header.separator, pieces).struct.rename_fields(names).struct.unnest()
    rest = pl.col(names[-1])
    more = rest.str.count_matches(header.separator, literal=True)
    whole = (more == count - pieces).fill_null(False)
    return parts.with_columns(whole.alias("whole") if count else pl.lit(False).alias("whole"))


def _values(parts: pl.Series, header: Header) -> pl.Series:
    """Parts, null and empty where the header has a text for that."""
    value = pl.col("part")
    if header.empty is not None:
        value = pl.when(value == header.empty).then(pl.lit("")).otherwise(value)
    if header.unset is not None:
        value = pl.when(pl.col("part") != header.unset).then(value)
    return parts.alias("part").to_frame().select(value.alias("part")).to_series()

"""Lines -> flow records as read, where that takes care: by the core's reader itself, line by line."""

from __future__ import annotations

from typing import Any

import polars as pl

from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.object_rows import row_of
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.json_line import LineReader
from ndr_core.flows.json_text import cut_raw, line_text
from ndr_core.flows.object_reader import Skipped
from ndr_core.flows.outcome import (
    BAD_VALUE,
    BLANK,
    MALFORMED,
    SKIPPED,
    UNFIT,
)
from ndr_core.flows.raw_record import Blank, Malformed
from ndr_core.flows.record_reader import BadRecord, ReadFlow


def read_careful(lines: pl.LazyFrame, plan: DeltaPlan) -> pl.LazyFrame:
    """Read those lines that `plain.read_plain` left UNFIT; the others stay as they are."""
    reader = _CarefulReader(plan)
    schema = {"line": pl.String(), **reader.dtypes}
    return lines.map_batches(reader.read_unfit, schema=schema, streamable=True)


class _CarefulReader:
    """The core's reader as a function of Polars columns."""

    def __init__(self, plan: DeltaPlan) -> None:
        self._reader = LineReader(plan.input, plan.key_columns)
        self._key_columns = plan.key_columns
        self.dtypes = columns_of(plan)

    def read_unfit(self, block: pl.DataFrame) -> pl.DataFrame:
        """The block with its UNFIT lines read."""
        unfit = block["outcome"] == UNFIT
        found = block.select("line", *self.dtypes)
        if not unfit.any():
            return found
        places = unfit.arg_true()
        rows = [self._row(line) for line in block["line"].gather(places).to_list()]
        read = pl.DataFrame(rows, schema=self.dtypes, orient="row")
        return found.with_columns(found[name].scatter(places, read[name]) for name in self.dtypes)

    def _row(self, line: str) -> dict[str, Any]:
        match self._reader.read(line):
            case Blank():
                return {"outcome": BLANK}
            case Malformed():
                return {"outcome": MALFORMED}
            case Skipped():
                return {"outcome": SKIPPED}
            case BadRecord(_, fault):
                return {"outcome": BAD_VALUE, "fault": fault}
            case ReadFlow(flow):
                return row_of(flow, self._key_columns)


def quarantined_text(plan: DeltaPlan) -> pl.Expr:
    """Text of rejected records as the quarantine keeps it."""
    is_json = plan.input.format is FileFormat.JSON

    def cut(texts: pl.Series) -> pl.Series:
        whole = (
            text if text is None or not is_json else line_text(text) for text in texts.to_list()
        )
        return pl.Series(
            [None if text is None else cut_raw(text) for text in whole], dtype=pl.String
        )

    return pl.col("line").map_batches(cut, return_dtype=pl.String, is_elementwise=True)

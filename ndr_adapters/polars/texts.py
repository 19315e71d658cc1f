"""The texts of records: what the quarantine keeps of them, and what tells apart those that are else the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import polars as pl

from ndr_adapters.polars.lines import HEAD
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.delimited import header_of
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.json_text import BLANKS, BYTE_ORDER_MARK, cut_raw
from ndr_core.flows.raw_record import object_text
from ndr_core.quality.rules import MALFORMED_RECORD

_HEADERS_KEPT: Final = 256
_NONE: Final = pl.lit(None, dtype=pl.String)

header_by = lru_cache(maxsize=_HEADERS_KEPT)(header_of)


def text_columns(plan: DeltaPlan) -> tuple[str, ...]:
    """Name the columns of judged records from which their texts are made."""
    return ("line", HEAD) if plan.input.format is FileFormat.DELIMITED else ("line",)


def raw_text(judged: pl.LazyFrame) -> pl.Expr:
    """The text of each record: of JSON without what may stand around it, a line with a header as it is."""
    line = pl.col("line")
    if HEAD in judged.collect_schema():
        return line
    return line.str.strip_chars_start(BYTE_ORDER_MARK).str.strip_chars(BLANKS)


def object_order(plan: DeltaPlan) -> pl.Expr:
    """What orders records of one text as the texts of their objects do: null where these are the same too."""
    if plan.input.format is not FileFormat.DELIMITED:
        return _NONE
    lines = pl.struct("line", HEAD)
    return lines.map_batches(_ordering_texts, return_dtype=pl.String)


def quarantined_object(plan: DeltaPlan) -> pl.Expr:
    """Text of the objects of rejected records as the quarantine keeps it, where it is another one than theirs.

    A malformed line has no object, though it may have the right number of parts.
    """
    if plan.input.format is not FileFormat.DELIMITED:
        return _NONE
    of_record = pl.when(pl.col("rule") != MALFORMED_RECORD).then("line")
    return pl.struct(of_record.alias("line"), HEAD).map_batches(
        lambda rows: _object_texts(rows, cut_raw), return_dtype=pl.String, is_elementwise=True
    )


def _ordering_texts(rows: pl.Series) -> pl.Series:
    """Lines with one header have one object where they have one text."""
    if rows.struct.field(HEAD).n_unique() < 2:
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    return _object_texts(rows, str)


def _object_texts(rows: pl.Series, change: Callable[[str], str]) -> pl.Series:
    texts = (_object_text(*row) for row in rows.struct.unnest().iter_rows())
    return pl.Series([None if text is None else change(text) for text in texts], dtype=pl.String)


def _object_text(line: str | None, head: str | None) -> str | None:
    """The text of a line's object; None for a malformed line."""
    if line is None or head is None:
        return None
    value = header_by(head).object(line)
    return None if value is None else object_text(value)

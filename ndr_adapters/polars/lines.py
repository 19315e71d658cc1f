"""Lines of a mini-batch as a Polars frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ndr_core.ports import InputBatch

_LINES_PER_BATCH = 50_000
_LINE_SCHEMA = {"line": pl.String(), "undecodable": pl.Boolean()}


def scan_lines(batch: InputBatch, storage_options: dict[str, Any]) -> pl.LazyFrame:
    """Lines of all files, decompressed and decoded by Polars."""
    if not batch.files:
        return pl.LazyFrame(schema=_LINE_SCHEMA)
    lines = pl.scan_lines(batch.uris, name="line", glob=False, storage_options=storage_options)
    return lines.with_columns(pl.lit(False).alias("undecodable"))


def decode_lines(batch: InputBatch) -> pl.LazyFrame:
    """The same for files that hold bytes which are no UTF-8; such lines are marked."""

    def batches(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del n_rows  # no query here takes a head
        rows: list[tuple[str, bool]] = []
        for file in batch.files:
            for line in batch.read_lines(file):
                rows.append(_decoded(line))
                if len(rows) >= (batch_size or _LINES_PER_BATCH):
                    yield _line_frame(rows, with_columns, predicate)
                    rows = []
        yield _line_frame(rows, with_columns, predicate)

    return register_io_source(batches, schema=_LINE_SCHEMA, is_pure=True)


def _decoded(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True


def _line_frame(
    rows: list[tuple[str, bool]], with_columns: list[str] | None, predicate: pl.Expr | None
) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=_LINE_SCHEMA, orient="row")
    if predicate is not None:
        frame = frame.filter(predicate)
    return frame if with_columns is None else frame.select(with_columns)

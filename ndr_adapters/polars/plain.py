"""Lines -> flow records as read, where that is plain: cut into pieces, or by Polars' own JSON reader.

Lines that are spelt alike need no JSON reader (`pieces.py`). For the others there is Polars' own. It fails a whole
query on one malformed line, takes the first of a repeated key, and casts between types. So it gets only lines that
match a pattern (`plain_pattern.py`) on which none of this can happen; what is left is UNFIT, for `careful.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import polars as pl
from attrs import define, field

from ndr_adapters.polars.fields import canonical, columns_of, doubts
from ndr_adapters.polars.pieces import FITS, PieceReader
from ndr_adapters.polars.plain_pattern import (
    Token,
    ascii_part,
    column_tokens,
    plain_line_pattern,
)
from ndr_adapters.polars.template import Template, common_template
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.outcome import MALFORMED, READ, UNFIT

_MAX_TEMPLATES: Final = 6
"""To try on one block of lines: each costs a look at all lines that are left."""
_TEMPLATES_KEPT: Final = 32
"""Ready to use; making one takes about a millisecond."""
_PLACE: Final = "place"


def read_plain(
    lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[KeyOrder]
) -> pl.LazyFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `lines`: the columns `line`, text, and `undecodable`, whether its bytes were no UTF-8. What the fields of an
    UNFIT line hold means nothing.
    """
    tokens = column_tokens(plan.input, plan.key_columns)
    pattern = plain_line_pattern(key_orders, tokens) if tokens else None
    columns = columns_of(plan)
    if tokens is None or pattern is None:
        nulls = (pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items())
        return lines.with_columns(nulls).with_columns(_outcome(pl.lit(True)))
    reader = _PlainReader(plan, tokens, pattern)
    return lines.map_batches(reader.read, schema={"line": pl.String(), **columns}, streamable=True)


@define
class _PlainReader:
    """Reads blocks of lines: by templates as far as that goes, the others by Polars' own JSON reader."""

    plan: DeltaPlan
    tokens: Mapping[str, Token]
    pattern: str
    _reader_of: Callable[[Template], PieceReader] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reader_of = lru_cache(maxsize=_TEMPLATES_KEPT)(
            lambda template: PieceReader.of(self.plan, self.tokens, template)
        )

    def read(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Columns: `line` and those of read lines, in the order of the lines."""
        if lines["undecodable"].any():
            return self._by_json_reader(lines)
        parts: list[pl.DataFrame] = []
        rest = lines.with_row_index(_PLACE)
        while len(parts) < _MAX_TEMPLATES and (template := common_template(rest["line"])):
            read = self._reader_of(template).read(rest["line"])
            fits = read[FITS]
            found = read.drop(FITS).with_columns(rest["line"], rest[_PLACE])
            if not parts and fits.all():
                return found.select("line", *columns_of(self.plan))
            if not fits.any():
                break
            parts.append(found.filter(fits))
            rest = rest.filter(~fits)
        if not rest.is_empty() or not parts:
            parts.append(self._by_json_reader(rest).with_columns(rest[_PLACE]))
        columns = ["line", *columns_of(self.plan), _PLACE]
        return pl.concat(part.select(columns) for part in parts).sort(_PLACE).drop(_PLACE)

    def _by_json_reader(self, lines: pl.DataFrame) -> pl.DataFrame:
        columns = columns_of(self.plan)
        source = _source_columns(self.tokens)
        values = canonical(self.plan, source)
        in_doubt = doubts(self.plan, source)
        fields = (
            values.get(name, pl.lit(None, dtype=dtype)).alias(name)
            for name, dtype in columns.items()
        )
        unfit = pl.any_horizontal(~pl.col("plain"), *in_doubt)
        return (
            _screened(lines.lazy(), self.pattern)
            .with_columns(_decoded(self.tokens).alias("source"))
            .with_columns(*fields, unfit.alias("unfit"))
            .with_columns(_outcome(pl.col("unfit")))
            .select("line", *columns)
            .collect(engine="in-memory")
        )


def _outcome(unfit: pl.Expr) -> pl.Expr:
    outcome = pl.when("undecodable").then(MALFORMED).when(unfit).then(UNFIT).otherwise(READ)
    return outcome.cast(pl.Int64).alias("outcome")


def _screened(lines: pl.LazyFrame, pattern: str) -> pl.LazyFrame:
    """Adds `plain`: whether Polars' own JSON reader may have the line.

    Only lines that the pattern's ASCII part leaves out are looked at by the whole of it.
    """
    line, of_ascii = pl.col("line"), pl.col("plain_ascii")
    other_plain = pl.when(~of_ascii).then(line).str.contains(pattern).fill_null(False)
    closed = (line.str.len_bytes() <= MAX_LINE_BYTES) & line.str.ends_with("}")
    return lines.with_columns(
        line.str.contains(ascii_part(pattern)).alias("plain_ascii")
    ).with_columns((closed & (of_ascii | other_plain)).alias("plain"))


def _decoded(tokens: Mapping[str, Token]) -> pl.Expr:
    """The source columns of a plain line as a struct, null for another line."""
    return (
        pl.when("plain")
        .then("line")
        .str.json_decode(pl.Struct({column: token.dtype for column, token in tokens.items()}))
        .struct.rename_fields([_member(column) for column in tokens])
    )


def _source_columns(tokens: Mapping[str, Token]) -> dict[str, pl.Expr]:
    return {column: pl.col("source").struct.field(_member(column)) for column in tokens}


def _member(column: str) -> str:
    """Name of a decoded source column: Polars takes a bare `*` or `^..$` for a pattern of names."""
    return f"column:{column}"

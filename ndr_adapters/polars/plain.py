"""Lines -> flow records as read, where that is plain: cut into pieces, or by Polars' own JSON reader.

Lines that are spelt alike need no JSON reader (`pieces.py`). For the others there is Polars' own. It fails a whole
query on one malformed line, takes the first of a repeated key, and casts between types. So it gets only lines that
match a pattern (`plain_pattern.py`) on which none of this can happen; what is left is UNFIT, for `careful.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import polars as pl
from attrs import define, field

from ndr_adapters.polars.fields import canonical, columns_of, doubts, selected
from ndr_adapters.polars.pieces import FITS, PieceReader, times_of
from ndr_adapters.polars.plain_pattern import ascii_part, plain_line_pattern
from ndr_adapters.polars.template import Template, Times, common_template
from ndr_adapters.polars.token import Tokens, column_tokens
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.outcome import MALFORMED, UNFIT

_MAX_TEMPLATES: Final = 6
"""To try on one block of lines: each costs a look at all lines that are left."""
_TEMPLATES_KEPT: Final = 32
"""Ready to use; making one takes about a millisecond."""
_PLACE: Final = "place"


def read_plain(
    lines: pl.LazyFrame, plan: DeltaPlan, key_orders: Sequence[KeyOrder]
) -> pl.LazyFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `lines`: the columns `line`, text, and `void`, whether it is too long or was no UTF-8. What the fields of an
    UNFIT line hold means nothing.
    """
    tokens = column_tokens(plan.input, plan.key_columns)
    pattern = plain_line_pattern(key_orders, tokens) if tokens else None
    reader = _PlainReader(plan, tokens or {}, pattern)
    schema = {"line": pl.String(), **columns_of(plan)}
    return lines.map_batches(reader.read, schema=schema, streamable=True)


@define
class _PlainReader:
    """Reads blocks of lines: by templates as far as that goes, the others by Polars' own JSON reader."""

    plan: DeltaPlan
    tokens: Tokens
    pattern: str | None
    """Of lines for Polars' own JSON reader; None where there are none."""
    _times: Times = field(init=False)
    _reader_of: Callable[[Template], PieceReader] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._times = times_of(self.plan)
        self._reader_of = lru_cache(maxsize=_TEMPLATES_KEPT)(
            lambda template: PieceReader.of(self.plan, template)
        )

    def read(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Columns: `line` and those of read lines, in the order of the lines."""
        rest = lines.with_row_index(_PLACE)
        parts: list[pl.DataFrame] = []
        if rest["void"].any():
            parts.append(self._unread(rest.filter("void"), MALFORMED))
            rest = rest.filter(~pl.col("void"))
        while len(parts) < _MAX_TEMPLATES:
            template = common_template(rest["line"], self._times)
            if template is None:
                break
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
            parts.append(self._by_json_reader(rest))
        columns = ["line", *columns_of(self.plan), _PLACE]
        return pl.concat(part.select(columns) for part in parts).sort(_PLACE).drop(_PLACE)

    def _by_json_reader(self, lines: pl.DataFrame) -> pl.DataFrame:
        columns = columns_of(self.plan)
        if self.pattern is None:
            return self._unread(lines, UNFIT)
        source = sources_of(self.tokens)
        values = canonical(self.plan, source, self.tokens)
        in_doubt = doubts(self.plan, source, self.tokens)
        fields = (
            values.get(name, pl.lit(None, dtype=dtype)).alias(name)
            for name, dtype in columns.items()
        )
        unfit = pl.any_horizontal(~pl.col("plain"), *in_doubt)
        selection = selected(self.plan, source, self.tokens)
        outcome = pl.when("unfit").then(UNFIT).otherwise(selection).cast(pl.Int64)
        return (
            _screened(lines.lazy(), self.pattern)
            .with_columns(_decoded(self.tokens).alias("source"))
            .with_columns(*fields, unfit.alias("unfit"))
            .with_columns(outcome.alias("outcome"))
            .select("line", *columns, _PLACE)
            .collect(engine="in-memory")
        )

    def _unread(self, lines: pl.DataFrame, outcome: int) -> pl.DataFrame:
        """Lines of one outcome, without fields."""
        columns = columns_of(self.plan)
        fields = (pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items())
        return lines.with_columns(*fields).with_columns(outcome=pl.lit(outcome, dtype=pl.Int64))


def _screened(lines: pl.LazyFrame, pattern: str) -> pl.LazyFrame:
    """Adds `plain`: whether Polars' own JSON reader may have the line.

    Only lines that the pattern's ASCII part leaves out are looked at by the whole of it.
    """
    line, of_ascii = pl.col("line"), pl.col("plain_ascii")
    other_plain = pl.when(~of_ascii).then(line).str.contains(pattern).fill_null(False)
    closed = line.str.ends_with("}")
    return lines.with_columns(
        line.str.contains(ascii_part(pattern)).alias("plain_ascii")
    ).with_columns((closed & (of_ascii | other_plain)).alias("plain"))


def _decoded(tokens: Tokens) -> pl.Expr:
    """The leaves of a plain line as a struct of structs, null for another line."""
    return pl.when("plain").then("line").str.json_decode(_struct_of(_tree(tokens)))


Tree = dict[str, "Tree | pl.DataType"]
"""The types of leaves by their names, and inner trees by the names of objects."""


def _tree(tokens: Tokens) -> Tree:
    tree: Tree = {}
    for leaf, token in tokens.items():
        place = tree
        for name in leaf[:-1]:
            inner = place.setdefault(name, {})
            assert isinstance(inner, dict), "no leaf is part of another one"
            place = inner
        place[leaf[-1]] = token.dtype
    return tree


def _struct_of(tree: Tree) -> pl.Struct:
    return pl.Struct(
        {
            name: _struct_of(inner) if isinstance(inner, dict) else inner
            for name, inner in tree.items()
        }
    )


def sources_of(tokens: Tokens) -> dict[Leaf, pl.Expr]:
    """The value of each leaf, of the column `source`: Polars takes a bare `*` or `^..$` for a pattern of names."""
    return dict(_sources(pl.col("source"), _tree(tokens), ()))


def _sources(struct: pl.Expr, tree: Tree, above: Leaf) -> Iterator[tuple[Leaf, pl.Expr]]:
    members = [f"column:{name}" for name in tree]
    renamed = struct.struct.rename_fields(members)
    for (name, inner), member in zip(tree.items(), members, strict=True):
        value = renamed.struct.field(member)
        if isinstance(inner, dict):
            yield from _sources(value, inner, (*above, name))
        else:
            yield (*above, name), value

"""Lines -> flow records as read, where that is plain: `ndr_core.flows.json_line`, compiled for Spark SQL.

Each line goes through `from_json` with an explicit schema. Jackson, below it, is lenient in known ways: it
ignores what follows the object, reads any value as a string, and replaces bytes that are no UTF-8. Lines on
which none of this can happen (flat, no escapes, values of their field's type) are taken as read; the others are
left UNFIT, for `careful.py`. All of it is Spark SQL on the JVM; no Python runs per record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen
from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, literal, matches, quoted
from ndr_adapters.spark.sql.fields import (
    STRICT_JSON,
    Reading,
    bad_times,
    canonical,
    readings_of,
    selected,
)
from ndr_adapters.spark.sql.ip_address import is_plain_ip
from ndr_adapters.spark.sql.time_text import iso_us
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import BLANKS, BYTE_ORDER_MARK, LONG_NUMBER, MAX_NUMBER_CHARACTERS
from ndr_core.flows.outcome import (
    BLANK,
    MALFORMED,
    UNFIT,
)
from ndr_core.flows.record import FieldKind
from ndr_core.flows.values import NUMBER

_CORRUPT: Final = "ndr corrupt record"
_UNSURE: Final = ("true", "false", '"Infinity"', '"-Infinity"')
"""Texts that `from_json` gives for what may have been no text."""
_IS_NUMBER: Final = re.compile(NUMBER)
_FRACTION: Final = "-?[0-9]+[.][0-9]+(?:E-?[0-9]+)?"


@frozen
class _Plain:
    """How a field is read from a plain line."""

    reading: Reading

    @property
    def name(self) -> Sql:
        """Column with the value."""
        return quoted(self.reading.name)

    @property
    def raw_name(self) -> Sql:
        """Column with the value as decoded."""
        return quoted(f"raw:{self.reading.name}")

    @property
    def columns(self) -> list[str]:
        """The source columns: a plain line is flat, and has nothing inside of objects."""
        return [leaf[0] for leaf in self.reading.leaves if len(leaf) == 1]

    @property
    def decoded(self) -> list[Sql]:
        """The source columns as `from_json` reads them."""
        return [Sql(f"source.{quoted(column)}") for column in self.columns]

    @property
    def decoded_type(self) -> str:
        """Type as which `from_json` reads the source column."""
        if self.reading.kind is FieldKind.INTEGER:
            return "bigint"
        return "double" if self.reading.is_number_of_time else "string"

    @property
    def raw(self) -> Sql:
        """Value as decoded, without what stands for no value."""
        nulls = self.reading.null_values
        raws = self.decoded
        if self.decoded_type == "string" and nulls:
            raws = [Sql(f"if({raw} in ({_listed(nulls)}), null, {raw})") for raw in raws]
        nothing = Sql(f"cast(null as {self.decoded_type})")
        return raws[0] if len(raws) == 1 else Sql(f"coalesce({', '.join([*raws, nothing])})")

    @property
    def value(self) -> Sql:
        """Value of the column `raw_name`; a time may be out of range."""
        if self.reading.kind is not FieldKind.TIMESTAMP:
            return self.raw_name
        scaled = self.reading.is_number_of_time
        return self.reading.scaled(self.raw_name) if scaled else iso_us(self.raw_name)

    @property
    def doubt(self) -> Sql:
        """Whether the value may have been of another type, or needs more care."""
        raw = self.raw_name
        match self.reading.kind:
            case FieldKind.INTEGER:
                return Sql("false")
            case FieldKind.TIMESTAMP:
                return Sql(f"({raw} is not null and {self.name} is null)")
            case FieldKind.IP:
                return Sql(f"not coalesce({is_plain_ip(raw)}, true)")
        may_be_a_fraction = f"({raw} >= '-' and {raw} < ':' and {matches(raw, _FRACTION)})"
        return Sql(f"coalesce({raw} in ({_listed(_UNSURE)}) or {may_be_a_fraction}, false)")

    @property
    def is_ambiguous(self) -> Sql | None:
        """Whether a text that means no value may have been a number, true or false; None where none can."""
        nulls = [one for one in self.reading.null_values if _IS_NUMBER.fullmatch(one)]
        nulls += [one for one in self.reading.null_values if one in _UNSURE]
        if self.decoded_type != "string" or not nulls:
            return None
        found = [f"coalesce({raw} in ({_listed(nulls)}), false)" for raw in self.decoded]
        return Sql(f"({' or '.join(found or ['false'])})")


def read_plain(lines: DataFrame, plan: DeltaPlan) -> DataFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `lines`: from `lines.read_lines`. What the fields of an UNFIT line hold means nothing.
    """
    readings = readings_of(plan)
    plain = [_Plain(reading) for reading in readings]
    columns = _typed_columns(plain)
    trimmed = lines.selectExpr(f"{_trimmed('value')} as line", "void")
    raw = _undecoded(trimmed, plain) if columns is None else _decoded(trimmed, columns, plain)
    # Times are parsed in a projection of their own: otherwise each use below would parse them again.
    parsed = raw.selectExpr("*", *(f"{field.value} as {field.name}" for field in plain))
    read = parsed.selectExpr(
        "line",
        "void",
        "unfit",
        *(field.raw_name for field in plain),
        *(f"{field.reading.held(field.name)} as {field.name}" for field in plain),
    )
    doubts = ["unfit", *(field.doubt for field in plain)]
    doubts += bad_times(readings).values()
    outcome = (
        f"case when void then {MALFORMED} when line = '' then {BLANK} "
        f"when {' or '.join(doubts)} then {UNFIT} else {selected(plan)} end as outcome"
    )
    return read.selectExpr(
        "line", outcome, "cast(null as string) as fault", *canonical(readings, plan)
    )


def _decoded(lines: DataFrame, columns: Mapping[str, str], plain: Sequence[_Plain]) -> DataFrame:
    """`line`, `void`, `unfit`, and the raw values of a line that is not."""
    schema = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in columns.items())
    schema = literal(f"{schema}, {quoted(_CORRUPT)} string")
    options = f"map({STRICT_JSON}, 'columnNameOfCorruptRecord', {literal(_CORRUPT)})"
    unfit = ["odd", "source is null", f"source.{quoted(_CORRUPT)} is not null"]
    unfit += [field.is_ambiguous for field in plain if field.is_ambiguous is not None]
    return (
        lines.selectExpr("line", "void", f"if({_is_plain('line')}, line, null) as plain")
        # Used twice, `plain` has a projection of its own: below `from_json` it would be interpreted, not compiled.
        .selectExpr(
            "line",
            "void",
            "plain is null as odd",
            f"from_json(plain, {schema}, {options}) as source",
        )
        .selectExpr(
            "line",
            "void",
            f"({' or '.join(unfit)}) as unfit",
            *(f"{field.raw} as {field.raw_name}" for field in plain),
        )
    )


def _undecoded(lines: DataFrame, plain: Sequence[_Plain]) -> DataFrame:
    """The same, where no line can be read plainly."""
    nulls = (f"cast(null as {field.decoded_type}) as {field.raw_name}" for field in plain)
    return lines.selectExpr("line", "void", "true as unfit", *nulls)


def _typed_columns(plain: Sequence[_Plain]) -> dict[str, str] | None:
    """Source column -> type to decode it as; None if there is none, or one to read in two ways or with more care."""
    columns: dict[str, str] = {}
    for field in plain:
        if not field.reading.is_plain:
            return None
        for column in field.columns:
            if columns.setdefault(column, field.decoded_type) != field.decoded_type:
                return None
    return columns or None


def _trimmed(line: str) -> Sql:
    without_mark = f"trim(LEADING {literal(BYTE_ORDER_MARK)} FROM {line})"
    trimmed = f"trim(BOTH {literal(BLANKS)} FROM {without_mark})"
    is_bare = f"startswith({line}, '{{') and endswith({line}, '}}')"
    return Sql(f"if({is_bare}, {line}, {trimmed})")


def _is_plain(line: str) -> Sql:
    """A flat object with nothing behind it, as far as can be seen without parsing."""
    closed = f"octet_length({_before('}', line)}) = octet_length({line}) - 1"
    without = (f"octet_length({_before(sign, line)}) = octet_length({line})" for sign in "[\\")
    numbers = f"(octet_length({line}) <= {MAX_NUMBER_CHARACTERS} or not {line} rlike {literal(LONG_NUMBER)})"
    tests = [f"startswith({line}, '{{')", closed, *without, numbers]
    return Sql(f"({' and '.join(tests)})")


def _before(sign: str, line: str) -> Sql:
    """What stands before a sign. Java splits at a single sign without its regular expressions, by machine
    instructions for many characters at once; `contains` and `rlike` look at each by itself.
    """
    pattern = sign if sign == "}" else f"\\{sign}"
    return Sql(f"split({line}, {literal(pattern)}, 2)[0]")


def _listed(texts: Sequence[str]) -> Sql:
    return Sql(", ".join(map(literal, texts)))

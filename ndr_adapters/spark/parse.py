"""Lines -> flow records as read, where that is plain: `ndr_core.json_line`, compiled for Spark SQL.

Each line goes through `from_json` with an explicit schema. Jackson, below it, is lenient in known ways: it
ignores what follows the object, reads any value as a string, and replaces bytes that are no UTF-8. Lines on
which none of this can happen (flat, no escapes, values of the due type) are taken as read; the others are
left UNFIT, for `careful.py`. All of it is Spark SQL on the JVM; no Python runs per record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from ndr_adapters.spark.expr import literal, quoted
from ndr_adapters.spark.reading import (
    BLANK,
    MALFORMED,
    READ,
    STRICT_JSON,
    UNFIT,
    Reading,
    canonical,
    decoded,
    is_utf8,
    readings_of,
)
from ndr_core.job_spec import JobSpec
from ndr_core.json_line import (
    BLANKS,
    BYTE_ORDER_MARK,
    LONG_NUMBER,
    MAX_LINE_BYTES,
    MAX_NUMBER_CHARACTERS,
)

_CORRUPT = "ndr corrupt record"


def read_plain(text: DataFrame, spec: JobSpec) -> DataFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `text`: one column `value`, a line as Spark's text reader gives it. All fields of an UNFIT line are void.
    """
    readings = readings_of(spec)
    columns = _typed_columns(readings)
    lines = _as_text(text).selectExpr(f"{_trimmed('value')} as line", "void")
    raw = _undecoded(lines, readings) if columns is None else _decoded(lines, columns, readings)
    # Times are worked out before they are looked at, lest each look works them out anew.
    read = raw.selectExpr(
        "*", *(f"{r.from_raw(_raw(r))} as {quoted(r.name)}" for r in readings)
    ).selectExpr(
        "line",
        "void",
        "unfit",
        *(_raw(r) for r in readings),
        *(f"{r.checked(quoted(r.name))} as {quoted(r.name)}" for r in readings),
    )
    doubts = " or ".join(["unfit", *(r.doubt(_raw(r), quoted(r.name)) for r in readings)])
    outcome = (
        f"case when void then {MALFORMED} when line = '' then {BLANK} "
        f"when {doubts} then {UNFIT} else {READ} end as outcome"
    )
    return read.selectExpr(
        "line", outcome, "cast(null as string) as fault", *canonical(readings, spec)
    )


def _as_text(lines: DataFrame) -> DataFrame:
    """Lines as text, with `void`: whether a line is malformed for being too long or no UTF-8.

    Of a line that is too long only the start is looked at, as the core does.
    """
    start = f"substring(cast(value as binary), 1, {MAX_LINE_BYTES + 1})"
    return lines.selectExpr(
        "value",
        f"octet_length(value) > {MAX_LINE_BYTES} as overlong",
        f"not {is_utf8('value')} as undecodable",
    ).selectExpr(
        f"case when overlong then {decoded(start)} when undecodable then {decoded('value')} else value end "
        "as value",
        "(overlong or undecodable) as void",
    )


def _decoded(
    lines: DataFrame, columns: Mapping[str, str], readings: Sequence[Reading]
) -> DataFrame:
    """`line`, `void`, `unfit`, and the raw values of a line that is not."""
    schema = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in columns.items())
    schema = literal(f"{schema}, {quoted(_CORRUPT)} string")
    options = f"map({STRICT_JSON}, 'columnNameOfCorruptRecord', {literal(_CORRUPT)})"
    return (
        lines.selectExpr("line", "void", f"if({_is_plain('line')}, line, null) as plain")
        # Used twice, `plain` is worked out before: below `from_json` it would be interpreted, not compiled.
        .selectExpr(
            "line",
            "void",
            "plain is null as odd",
            f"from_json(plain, {schema}, {options}) as source",
        )
        .selectExpr(
            "line",
            "void",
            f"(odd or source is null or source.{quoted(_CORRUPT)} is not null{_ambiguous(readings)}) as unfit",
            *(f"{r.raw(_source(r))} as {_raw(r)}" for r in readings),
        )
    )


def _undecoded(lines: DataFrame, readings: Sequence[Reading]) -> DataFrame:
    """The same, where no line can be read plainly."""
    nulls = (f"cast(null as {r.decoded_type}) as {_raw(r)}" for r in readings)
    return lines.selectExpr("line", "void", "true as unfit", *nulls)


def _source(reading: Reading) -> str:
    return f"source.{quoted(reading.column)}"


def _raw(reading: Reading) -> str:
    return quoted(f"raw:{reading.name}")


def _ambiguous(readings: Sequence[Reading]) -> str:
    """Whether a text that means no value may have been a number, as ` or ...`."""
    return "".join(
        f" or coalesce({_source(r)} in ({', '.join(map(literal, r.null_values))}), false)"
        for r in readings
        if r.may_be_a_number
    )


def _typed_columns(readings: Sequence[Reading]) -> dict[str, str] | None:
    """Source column -> type to decode it as; None if one column has to be read in two ways."""
    columns: dict[str, str] = {}
    for reading in readings:
        if columns.setdefault(reading.column, reading.decoded_type) != reading.decoded_type:
            return None
    return columns


def _trimmed(line: str) -> str:
    without_mark = f"trim(LEADING {literal(BYTE_ORDER_MARK)} FROM {line})"
    trimmed = f"trim(BOTH {literal(BLANKS)} FROM {without_mark})"
    return f"if(startswith({line}, '{{') and endswith({line}, '}}'), {line}, {trimmed})"


def _is_plain(line: str) -> str:
    """A flat object with nothing behind it, as far as can be told without parsing."""
    closed = f"octet_length({_before('}', line)}) = octet_length({line}) - 1"
    without = (f"octet_length({_before(sign, line)}) = octet_length({line})" for sign in "[\\")
    numbers = f"(octet_length({line}) <= {MAX_NUMBER_CHARACTERS} or not {line} rlike {literal(LONG_NUMBER)})"
    tests = [f"startswith({line}, '{{')", closed, *without, numbers]
    return f"({' and '.join(tests)})"


def _before(sign: str, line: str) -> str:
    """What stands before a sign. Java splits at a single sign without its regular expressions, by machine
    instructions for many characters at once; `contains` and `rlike` look at each by itself.
    """
    pattern = sign if sign == "}" else f"\\{sign}"
    return f"split({line}, {literal(pattern)}, 2)[0]"

"""Lines -> flow records as read, where that takes care: `ndr_core.json_line`, compiled for Spark SQL.

A line is marked before it is read: each JSON string gets an `s` as its first character, keys included, so
that the type of every value shows in its first character, and nothing on the line can forge the element
that marks its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import DataFrame

from ndr_adapters.spark.expr import literal, quoted
from ndr_adapters.spark.ip_address import canonical_ips
from ndr_adapters.spark.reading import (
    IP_FIELDS,
    MALFORMED,
    READ,
    STRICT_JSON,
    Reading,
    canonical,
    readings_of,
)
from ndr_core.job_spec import JobSpec
from ndr_core.json_line import (
    LONG_NUMBER,
    MAX_DEPTH,
    MAX_NUMBER_CHARACTERS,
    MAX_RAW_BYTES,
    PAIRED_ESCAPE,
    STRING_TOKEN,
)


def read_careful(lines: DataFrame, spec: JobSpec) -> DataFrame:
    """The columns of `parse.read_plain`, for lines (trimmed, not blank) that it left UNFIT."""
    readings = readings_of(spec)
    read = (
        lines.selectExpr("line", f"if({_may_be_read('line')}, {_marked('line')}, null) as marked")
        .selectExpr(
            "line",
            f"from_json(marked, {literal(_marked_schema(readings))}, map({STRICT_JSON})) as elements",
        )
        .selectExpr(
            "line", "if(size(elements) = 2 and elements[1].e = '1', elements[0], null) as marked"
        )
        # Each step is one struct, null where the line is no object.
        .selectExpr("*", _struct("token", "marked", {r.name: r.token("marked") for r in readings}))
        .selectExpr("*", _struct("read", "token", _members(Reading.from_token, "token", readings)))
        .selectExpr("*", _struct("careful", "read", _members(Reading.checked, "read", readings)))
        .selectExpr("*", f"if(careful is null, null, {_fault(readings)}) as fault")
    )
    outcome = f"if(careful is null or fault is not null, {MALFORMED}, {READ}) as outcome"
    flows = read.selectExpr("line", outcome, "fault", *canonical(readings, spec, "careful."))
    return canonical_ips(flows, IP_FIELDS)


def _struct(name: str, given: str, values: Mapping[str, str]) -> str:
    """A struct column of `values`, null where the column `given` is."""
    members = ", ".join(f"{literal(key)}, {value}" for key, value in values.items())
    return f"if({given} is null, null, named_struct({members})) as {name}"


def _members(
    value: Callable[[Reading, str], str], struct: str, readings: Sequence[Reading]
) -> dict[str, str]:
    """The members of a struct, each with `value` applied."""
    return {
        reading.name: value(reading, f"{struct}.{quoted(reading.name)}") for reading in readings
    }


def _may_be_read(line: str) -> str:
    """The demands on a line that Jackson does not make: surrogate pairs, depth, short numbers."""
    escapes_pair = (
        f"(not contains({line}, {literal(chr(92) + 'u')}) or "
        f"not contains(regexp_replace({line}, {literal(PAIRED_ESCAPE)}, ''), {literal(chr(92))}))"
    )
    without_strings = f"regexp_replace({line}, {literal(STRING_TOKEN)}, '')"
    brackets = f"regexp_replace({without_strings}, '[^\\\\[\\\\]{{}}]', '')"
    step = "a.depth + if(c in ('[', '{'), 1, -1)"
    depth = (
        f"aggregate(filter(split({brackets}, ''), c -> c != ''), "
        "named_struct('depth', 0, 'deepest', 0), (a, c) -> "
        f"named_struct('depth', {step}, 'deepest', greatest(a.deepest, {step}))).deepest"
    )
    opening = f"octet_length({line}) - octet_length(translate({line}, '[{{', ''))"
    return (
        f"{escapes_pair} and "
        f"({opening} <= {MAX_DEPTH} or {depth} <= {MAX_DEPTH}) and "
        f"(octet_length({line}) <= {MAX_NUMBER_CHARACTERS} or not {without_strings} rlike {literal(LONG_NUMBER)})"
    )


def _marked(line: str) -> str:
    """`[line,{"e":1}]` with an `s` in front of every string of the line."""
    marked = (
        f"regexp_replace({line}, {literal(STRING_TOKEN)}, {literal(chr(34) + 's$1' + chr(34))})"
    )
    return f"concat('[', {marked}, {literal(',{' + chr(34) + 'e' + chr(34) + ':1}]')})"


def _marked_schema(readings: Sequence[Reading]) -> str:
    columns = dict.fromkeys(f"{quoted('s' + reading.column)}: string" for reading in readings)
    return f"array<struct<{', '.join(columns)}, e: string>>"


def _fault(readings: Sequence[Reading]) -> str:
    cases = (
        f"when token.{quoted(r.name)} is not null and careful.{quoted(r.name)} is null "
        f"then {literal(r.name.removeprefix('key:'))}"
        for r in readings
    )
    return f"case {' '.join(cases)} end"


def quarantined_text(line: str) -> str:
    """Text of a rejected line as the quarantine keeps it: cut at a character."""
    cuts = []
    for cut in range(MAX_RAW_BYTES, MAX_RAW_BYTES - 4, -1):
        head = f"substring(encode({line}, 'UTF-8'), 1, {cut})"
        cuts.append(
            f"when encode(decode({head}, 'UTF-8'), 'UTF-8') = {head} then decode({head}, 'UTF-8')"
        )
    return f"case when octet_length({line}) <= {MAX_RAW_BYTES} then {line} {' '.join(cuts)} end"

"""Lines -> flow records as read, where that takes care: `ndr_core.flows.json_line`, compiled for Spark SQL.

A line is marked before it is read: each JSON string gets an `s` as its first character, keys included, so
that the type of every value shows in its first character, and nothing on the line can forge the element
that marks its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen
from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, literal, matches, quoted
from ndr_adapters.spark.sql.fields import (
    IP_FIELDS,
    STRICT_JSON,
    Reading,
    any_iso_us,
    canonical,
    readings_of,
)
from ndr_adapters.spark.sql.ip_address import canonical_ips
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import (
    LONG_NUMBER,
    MAX_DEPTH,
    MAX_NUMBER_CHARACTERS,
    MAX_RAW_BYTES,
    PAIRED_ESCAPE,
    STRING_TOKEN,
)
from ndr_core.flows.outcome import BAD_VALUE, MALFORMED, READ
from ndr_core.flows.record import FieldKind
from ndr_core.flows.values import INTEGER, MAX_INTEGRAL_DOUBLE, NUMBER

_DIGITS: Final = "-?[0-9]+"


@frozen
class _Careful:
    """How a field is read from a marked line, step by step: each step's struct has a member for each field."""

    reading: Reading

    @property
    def token(self) -> Sql:
        """Marked text of the value, without what stands for no value."""
        token = Sql(f"marked.{quoted('s' + self.reading.column)}")
        if not self.reading.null_values:
            return token
        nulls = ", ".join(literal("s" + text) for text in self.reading.null_values)
        return Sql(f"if({token} in ({nulls}), null, {token})")

    @property
    def value(self) -> Sql:
        """Value of the token, null where it can't be read as this field's; a time may be out of range."""
        token = self._member("token")
        content = Sql(f"substring({token}, 2)")
        is_string = f"startswith({token}, 's')"
        bare = Sql(f"if({is_string}, {content}, {token})")
        match self.reading.kind:
            case FieldKind.IP:
                return Sql(f"if({is_string}, {content}, null)")
            case FieldKind.TEXT:
                is_plain = f"({token} in ('true', 'false') or {matches(token, _DIGITS)})"
                return Sql(
                    f"case when {is_string} then {content} when {is_plain} then {token} "
                    f"else cast({_integer(token)} as string) end"
                )
            case FieldKind.INTEGER:
                return _integer(bare)
        if self.reading.is_number_of_time:
            number = Sql(f"if({matches(bare, NUMBER)}, cast({bare} as double), null)")
            return self.reading.scaled(number)
        return any_iso_us(Sql(f"if({is_string}, {content}, null)"))

    @property
    def in_range(self) -> Sql:
        """The read value, null for a time out of range."""
        return self.reading.in_range(self._member("read"))

    def _member(self, struct: str) -> Sql:
        return Sql(f"{struct}.{quoted(self.reading.name)}")


def _integer(number: Sql) -> Sql:
    """The integer that a text of a number stands for, null where it is none: with point or exponent a double."""
    double = f"cast({number} as double)"
    is_integral = f"{double} = floor({double}) and abs({double}) <= {MAX_INTEGRAL_DOUBLE}L"
    return Sql(
        f"case when {matches(number, INTEGER)} then try_cast({number} as bigint) "
        f"when {matches(number, NUMBER)} and {number} rlike '[.eE]' and {is_integral} "
        f"then cast({double} as bigint) end"
    )


def read_careful(lines: DataFrame, plan: DeltaPlan) -> DataFrame:
    """The columns of `plain.read_plain`, for lines (trimmed, not blank) that it left UNFIT."""
    readings = readings_of(plan)
    fields = [_Careful(reading) for reading in readings]
    names = [reading.name for reading in readings]
    read = (
        lines.selectExpr("line", f"if({_may_be_read('line')}, {_marked('line')}, null) as marked")
        .selectExpr(
            "line",
            f"from_json(marked, {literal(_marked_schema(fields))}, map({STRICT_JSON})) as elements",
        )
        .selectExpr(
            "line", "if(size(elements) = 2 and elements[1].e = '1', elements[0], null) as marked"
        )
        # Each step is one struct, null where the line is no object.
        .selectExpr("*", _struct("token", "marked", names, (field.token for field in fields)))
        .selectExpr("*", _struct("read", "token", names, (field.value for field in fields)))
        .selectExpr("*", _struct("careful", "read", names, (field.in_range for field in fields)))
        .selectExpr("*", f"if(careful is null, null, {_fault(readings)}) as fault")
    )
    outcome = (
        f"case when careful is null then {MALFORMED} when fault is not null then {BAD_VALUE} "
        f"else {READ} end as outcome"
    )
    flows = read.selectExpr("line", outcome, "fault", *canonical(readings, plan, "careful."))
    return canonical_ips(flows, IP_FIELDS)


def _struct(name: str, given: str, names: Iterable[str], values: Iterable[Sql]) -> str:
    """A struct column of `values`, null where the column `given` is."""
    members = ", ".join(
        f"{literal(key)}, {value}" for key, value in zip(names, values, strict=True)
    )
    return f"if({given} is null, null, named_struct({members})) as {name}"


def _may_be_read(line: str) -> Sql:
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
    return Sql(
        f"{escapes_pair} and "
        f"({opening} <= {MAX_DEPTH} or {depth} <= {MAX_DEPTH}) and "
        f"(octet_length({line}) <= {MAX_NUMBER_CHARACTERS} or not {without_strings} rlike {literal(LONG_NUMBER)})"
    )


def _marked(line: str) -> Sql:
    """`[line,{"e":1}]` with an `s` in front of every string of the line."""
    marked = (
        f"regexp_replace({line}, {literal(STRING_TOKEN)}, {literal(chr(34) + 's$1' + chr(34))})"
    )
    return Sql(f"concat('[', {marked}, {literal(',{' + chr(34) + 'e' + chr(34) + ':1}]')})")


def _marked_schema(fields: Sequence[_Careful]) -> str:
    columns = dict.fromkeys(f"{quoted('s' + field.reading.column)}: string" for field in fields)
    return f"array<struct<{', '.join(columns)}, e: string>>"


def _fault(readings: Sequence[Reading]) -> Sql:
    cases = (
        f"when token.{quoted(r.name)} is not null and careful.{quoted(r.name)} is null "
        f"then {literal(r.name.removeprefix('key:'))}"
        for r in readings
    )
    return Sql(f"case {' '.join(cases)} end")


def quarantined_text(line: str) -> Sql:
    """Text of a rejected line as the quarantine keeps it: cut at a character."""
    cuts = []
    for cut in range(MAX_RAW_BYTES, MAX_RAW_BYTES - 4, -1):
        head = f"substring(encode({line}, 'UTF-8'), 1, {cut})"
        cuts.append(
            f"when encode(decode({head}, 'UTF-8'), 'UTF-8') = {head} then decode({head}, 'UTF-8')"
        )
    short = f"octet_length({line}) <= {MAX_RAW_BYTES}"
    return Sql(f"case when {short} then {line} {' '.join(cuts)} end")

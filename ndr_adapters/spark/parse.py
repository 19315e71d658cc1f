"""Lines -> flow records as read: `ndr_core.json_line`, compiled for Spark SQL.

Every line goes through `from_json` with an explicit schema. Jackson, below it, is lenient in known ways:
it ignores what follows the object, reads any value as a string, and replaces bytes that are no UTF-8. Lines on
which none of this can happen (flat, no escapes, values of the due type) are taken as read. The others are
read again, marked: each JSON string gets an `s` as its first character, keys included, so that the type
of every value shows in its first character, and nothing on the line can forge the element that marks its
end. All of it is Spark SQL on the JVM; no Python runs per record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.sql import DataFrame

from ndr_adapters.spark.expr import literal, quoted
from ndr_adapters.spark.ip_address import canonical_ips, matches
from ndr_core.flow import FLOW_FIELDS, TIME_LIMIT_US, Case, FieldKind, FlowField
from ndr_core.input_mapping import FieldSource, TimeFormat
from ndr_core.job_spec import JobSpec
from ndr_core.json_line import (
    BLANKS,
    BYTE_ORDER_MARK,
    INTEGER,
    ISO_TIME,
    MAX_DEPTH,
    MAX_LINE_BYTES,
    MAX_RAW_BYTES,
    NUMBER,
    PAIRED_ESCAPE,
    STRING_TOKEN,
)

READ, BLANK, MALFORMED = 0, 1, 2
"""What became of a line, in the column `outcome`."""

_CORRUPT = "ndr corrupt record"
_STRICT = "'mode', 'PERMISSIVE', 'allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'"
_DIGITS = "-?[0-9]+"
_INFINITY = ('"Infinity"', '"-Infinity"')
_SQL_TYPES = {
    FieldKind.IP: "string",
    FieldKind.TEXT: "string",
    FieldKind.INTEGER: "bigint",
    FieldKind.TIMESTAMP: "bigint",
}


def key_column(name: str) -> str:
    """Column that holds a source column which only deduplication reads."""
    return f"key:{name}"


def parse_lines(text: DataFrame, spec: JobSpec) -> DataFrame:
    """Flow fields, deduplication keys, `outcome`, `fault` (the field at fault) and `line`.

    `text`: one column `value`, a line as Spark's text reader gives it.
    """
    readings = _readings(spec)
    columns = _typed_columns(readings)
    lines = text.selectExpr(f"{_trimmed('value')} as line").selectExpr(
        "line", f"{_is_plain('line') if columns else 'false'} as plain"
    )
    decoded = _decode_plain(lines, columns, readings) if columns else _undecoded(lines, readings)
    doubts = ["not plain", *(reading.doubt() for reading in readings if columns)]
    marked = decoded.selectExpr(
        "*", f"(line != '' and ({' or '.join(doubts)})) as unfit"
    ).selectExpr(
        "*",
        f"from_json(if(unfit and {_may_be_read('line')}, {_marked('line')}, null), "
        f"{literal(_marked_schema(readings))}, map({_STRICT})) as elements",
    )
    # Each step is one struct, null and not computed for the lines that were read fast.
    careful = (
        marked.selectExpr(
            "*", "if(size(elements) = 2 and elements[1].e = '1', elements[0], null) as marked"
        )
        .selectExpr("*", _struct("token", "marked", {r.name: r.token() for r in readings}))
        .selectExpr("*", _struct("read", "token", {r.name: r.from_token() for r in readings}))
        .selectExpr("*", _struct("careful", "read", {r.name: r.checked("read") for r in readings}))
        .selectExpr("*", f"if(careful is null, null, {_fault(readings)}) as fault")
    )
    return _finished(careful, spec, readings)


def _struct(name: str, given: str, values: Mapping[str, str]) -> str:
    """A struct column of `values`, null where the column `given` is."""
    members = ", ".join(f"{literal(key)}, {value}" for key, value in values.items())
    return f"if({given} is null, null, named_struct({members})) as {name}"


class _Reading:
    """How one field, or one column for deduplication, is read from its source column."""

    def __init__(
        self,
        name: str,
        column: str,
        kind: FieldKind,
        source: FieldSource,
        null_values: Iterable[str],
    ) -> None:
        self.name = name
        self.column = column
        self.kind = kind
        self.format = source.format
        self.source = source
        self.null_values = tuple(null_values)

    @property
    def decoded_type(self) -> str:
        """Type as which `from_json` reads the column on a plain line."""
        if self.kind is FieldKind.INTEGER:
            return "bigint"
        return "double" if self._is_number_of_time() else "string"

    def fast(self) -> str:
        """Value on a plain line, over the decoded text or number; a time may be out of range."""
        raw = f"raw.{quoted(self.name)}"
        if self.kind is not FieldKind.TIMESTAMP:
            return raw
        if self._is_number_of_time():
            return self._scaled(raw)
        return self._iso_us(raw)

    def raw(self) -> str:
        """Decoded value, without what stands for no value."""
        value = f"source.{quoted(self.column)}"
        if self.decoded_type != "string" or not self.null_values:
            return value
        return f"if({value} in ({_listed(self.null_values)}), null, {value})"

    def doubt(self) -> str:
        """Whether the value on a plain line may have been of another type in the JSON text."""
        raw = f"raw.{quoted(self.name)}"
        if self.kind is FieldKind.TIMESTAMP:
            return f"({raw} is not null and fast.{quoted(self.name)} is null)"
        if self.kind is FieldKind.INTEGER:
            return "false"
        unsure = [literal(text) for text in ("true", "false", *_INFINITY)]
        doubts = [
            f"{raw} in ({', '.join(unsure)})",
            f"({raw} >= '-' and {raw} < ':' and {matches(raw, '-?[0-9]+[.][0-9]+(?:E-?[0-9]+)?')})",
        ]
        digits = [text for text in self.null_values if text.lstrip("-").isdecimal()]
        if digits:
            doubts.append(f"source.{quoted(self.column)} in ({_listed(digits)})")
        return f"coalesce({' or '.join(doubts)}, false)"

    def token(self) -> str:
        """Marked text of the value on another line, without what stands for no value."""
        token = f"marked.{quoted('s' + self.column)}"
        if not self.null_values:
            return token
        return f"if({token} in ({_listed('s' + text for text in self.null_values)}), null, {token})"

    def from_token(self) -> str:
        """Value of a token, null where it can't be read as this field's; a time may be out of range."""
        token = f"token.{quoted(self.name)}"
        content = f"substring({token}, 2)"
        is_string = f"startswith({token}, 's')"
        bare = f"if({is_string}, {content}, {token})"
        if self.kind in (FieldKind.TEXT, FieldKind.IP):
            return f"case when {is_string} then {content} when {matches(token, _DIGITS)} then {token} end"
        if self.kind is FieldKind.INTEGER:
            return f"if({matches(bare, INTEGER)}, try_cast({bare} as bigint), null)"
        if self._is_number_of_time():
            return self._scaled(f"if({matches(bare, NUMBER)}, cast({bare} as double), null)")
        return self._iso_us(f"if({is_string}, {content}, null)")

    def finished(self, value: str) -> str:
        """Value in the canonical vocabulary."""
        if self.kind is FieldKind.TEXT and self.source.map:
            cases = " ".join(
                f"when {literal(old)} then {literal(new)}" for old, new in self.source.map.items()
            )
            return f"case {value} {cases} else {value} end"
        return value

    def _is_number_of_time(self) -> bool:
        return self.kind is FieldKind.TIMESTAMP and self.format is not TimeFormat.ISO8601

    def _scaled(self, number: str) -> str:
        assert self.format is not None
        scaled = f"({number} * {literal(float(self.format.unit_us))} + 0.5D)"
        return f"if(abs({scaled}) < {literal(float(TIME_LIMIT_US))}, cast(floor({scaled}) as bigint), null)"

    def _iso_us(self, text: str) -> str:
        has_zone = f"(endswith({text}, 'Z') or substring({text}, -6, 1) in ('+', '-'))"
        zoned = f"if({has_zone}, {text}, concat({text}, 'Z'))"
        return f"if({matches(text, ISO_TIME)}, unix_micros(try_cast({zoned} as timestamp)), null)"

    def checked(self, struct: str) -> str:
        """Value of the member of this name, null for a time out of range."""
        column = f"{struct}.{quoted(self.name)}"
        if self.kind is not FieldKind.TIMESTAMP:
            return column
        assert self.format is not None
        lowest = 1 - TIME_LIMIT_US if self.format.is_duration else 0
        return f"if({column} >= {lowest}L and {column} < {TIME_LIMIT_US}L, {column}, null)"


def _readings(spec: JobSpec) -> list[_Reading]:
    null_values = spec.input.null_values
    fields = [
        _Reading(flow_field.name, source.column, flow_field.kind, source, null_values)
        for flow_field, source in spec.input.bound_fields()
        if source.column is not None
    ]
    keys = [
        _Reading(key_column(name), name, FieldKind.TEXT, FieldSource(column=name), null_values)
        for name in spec.key_columns
    ]
    return fields + keys


def _typed_columns(readings: list[_Reading]) -> dict[str, str] | None:
    """Source column -> type to decode it as; None if one column has to be read in two ways."""
    columns: dict[str, str] = {}
    for reading in readings:
        if columns.setdefault(reading.column, reading.decoded_type) != reading.decoded_type:
            return None
    return columns


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(literal(text) for text in texts)


def _trimmed(line: str) -> str:
    without_mark = f"trim(LEADING {literal(BYTE_ORDER_MARK)} FROM {line})"
    trimmed = f"trim(BOTH {literal(BLANKS)} FROM {without_mark})"
    return f"if(startswith({line}, '{{') and endswith({line}, '}}'), {line}, {trimmed})"


def _is_utf8(line: str) -> str:
    return f"decode(cast({line} as binary), 'UTF-8') = {line}"


def _is_plain(line: str) -> str:
    """A flat object with nothing behind it, as far as can be told without parsing."""
    all_but_last = f"cast(substring(cast({line} as binary), 1, octet_length({line}) - 1) as string)"
    return (
        f"(octet_length({line}) <= {MAX_LINE_BYTES} and startswith({line}, '{{') and "
        f"endswith({line}, '}}') and not contains({line}, {literal(chr(92))}) and "
        f"not contains({line}, '[') and not contains({all_but_last}, '}}') and {_is_utf8(line)})"
    )


def _decode_plain(lines: DataFrame, columns: dict[str, str], readings: list[_Reading]) -> DataFrame:
    """Adds `raw` and `fast`: the values of plain lines, as decoded and as the fields are read."""
    schema = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in columns.items())
    options = f"map({_STRICT}, 'columnNameOfCorruptRecord', {literal(_CORRUPT)})"
    source = f"from_json(if(plain, line, null), {literal(f'{schema}, {quoted(_CORRUPT)} string')}, {options})"
    return (
        lines.selectExpr("line", "plain", f"{source} as source")
        .selectExpr(
            "line",
            f"(plain and source is not null and source.{quoted(_CORRUPT)} is null) as plain",
            "source",
        )
        .selectExpr("*", _struct("raw", "source", {r.name: r.raw() for r in readings}))
        .selectExpr("*", _struct("read", "raw", {r.name: r.fast() for r in readings}))
        .selectExpr(
            "line",
            "plain",
            "source",
            "raw",
            _struct("fast", "read", {r.name: r.checked("read") for r in readings}),
        )
    )


def _undecoded(lines: DataFrame, readings: list[_Reading]) -> DataFrame:
    """The same where every line has to be read marked."""
    nulls = {r.name: f"cast(null as {_SQL_TYPES[r.kind]})" for r in readings}
    return lines.selectExpr("line", "plain", _struct("fast", "line", nulls))


def _may_be_read(line: str) -> str:
    """The demands on a line that Jackson does not make: length, UTF-8, surrogate pairs, depth."""
    escapes_pair = (
        f"(not contains({line}, {literal(chr(92) + 'u')}) or "
        f"not contains(regexp_replace({line}, {literal(PAIRED_ESCAPE)}, ''), {literal(chr(92))}))"
    )
    brackets = f"regexp_replace(regexp_replace({line}, {literal(STRING_TOKEN)}, ''), '[^\\\\[\\\\]{{}}]', '')"
    step = "a.depth + if(c in ('[', '{'), 1, -1)"
    depth = (
        f"aggregate(filter(split({brackets}, ''), c -> c != ''), "
        "named_struct('depth', 0, 'deepest', 0), (a, c) -> "
        f"named_struct('depth', {step}, 'deepest', greatest(a.deepest, {step}))).deepest"
    )
    opening = f"octet_length({line}) - octet_length(translate({line}, '[{{', ''))"
    return (
        f"octet_length({line}) <= {MAX_LINE_BYTES} and {_is_utf8(line)} and {escapes_pair} and "
        f"({opening} <= {MAX_DEPTH} or {depth} <= {MAX_DEPTH})"
    )


def _marked(line: str) -> str:
    """`[line,{"e":1}]` with an `s` in front of every string of the line."""
    marked = (
        f"regexp_replace({line}, {literal(STRING_TOKEN)}, {literal(chr(34) + 's$1' + chr(34))})"
    )
    return f"concat('[', {marked}, {literal(',{' + chr(34) + 'e' + chr(34) + ':1}]')})"


def _marked_schema(readings: list[_Reading]) -> str:
    columns = dict.fromkeys(f"{quoted('s' + reading.column)} string" for reading in readings)
    return (
        f"array<struct<{', '.join(column.replace('` ', '`:') for column in columns)}, e: string>>"
    )


def _fault(readings: list[_Reading]) -> str:
    cases = (
        f"when token.{quoted(r.name)} is not null and careful.{quoted(r.name)} is null "
        f"then {literal(r.name.removeprefix('key:'))}"
        for r in readings
    )
    return f"case {' '.join(cases)} end"


def _finished(careful: DataFrame, spec: JobSpec, readings: list[_Reading]) -> DataFrame:
    """Fast and careful values in one column each, in canonical form."""
    outcome = (
        f"case when line = '' then {BLANK} "
        f"when unfit and (marked is null or fault is not null) then {MALFORMED} else {READ} end"
    )
    merged = careful.selectExpr(
        "line",
        f"{outcome} as outcome",
        "fault",
        *(
            f"if(unfit, careful.{quoted(r.name)}, fast.{quoted(r.name)}) as {quoted(r.name)}"
            for r in readings
        ),
    )
    own = {reading.name: reading for reading in readings}
    constants = spec.input.constants()
    fields = []
    for flow_field in FLOW_FIELDS:
        name = quoted(flow_field.name)
        if flow_field.name in own:
            value = _in_case(own[flow_field.name].finished(name), flow_field)
            source = own[flow_field.name].source
            if source.format is not None and source.format.is_duration:
                value = f"(event_start + {value})"
        elif flow_field.name in constants:
            value = literal(constants[flow_field.name])
        else:
            value = f"cast(null as {_SQL_TYPES[flow_field.kind]})"
        fields.append(f"{value} as {name}")
    keys = (quoted(key_column(name)) for name in spec.key_columns)
    canonical = merged.selectExpr("line", "outcome", "fault", *fields, *keys)
    return canonical_ips(canonical, [f.name for f in FLOW_FIELDS if f.kind is FieldKind.IP])


def _in_case(text: str, flow_field: FlowField) -> str:
    match flow_field.case:
        case Case.LOWER:
            return f"lower({text})"
        case Case.UPPER:
            return f"upper({text})"
    return text


def quarantined_text(line: str) -> str:
    """Text of a rejected line as the quarantine keeps it: decoded, cut at a character."""
    decoded = f"decode(cast({line} as binary), 'UTF-8')"
    cuts = []
    for cut in range(MAX_RAW_BYTES, MAX_RAW_BYTES - 4, -1):
        head = f"substring(encode({decoded}, 'UTF-8'), 1, {cut})"
        cuts.append(
            f"when encode(decode({head}, 'UTF-8'), 'UTF-8') = {head} then decode({head}, 'UTF-8')"
        )
    return (
        f"case when octet_length({decoded}) <= {MAX_RAW_BYTES} then {decoded} {' '.join(cuts)} end"
    )

"""How each field is read from its source column, for the two ways in which lines are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ndr_adapters.spark.expr import literal, quoted
from ndr_adapters.spark.ip_address import is_plain_ip, matches
from ndr_core.flow import FLOW_FIELDS, TIME_LIMIT_US, Case, FieldKind, FlowField
from ndr_core.input_mapping import FieldSource, TimeFormat
from ndr_core.job_spec import JobSpec
from ndr_core.json_line import INTEGER, ISO_TIME, NUMBER

READ, BLANK, MALFORMED, UNFIT = 0, 1, 2, 3
"""What became of a line, in the column `outcome`; UNFIT: it is still to be read carefully."""

STRICT_JSON = (
    "'mode', 'PERMISSIVE', 'allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'"
)
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


def is_utf8(line: str) -> str:
    """Whether a line's bytes are valid UTF-8, of which decoding changes nothing."""
    return f"decode(cast({line} as binary), 'UTF-8') = {line}"


def decoded(line: str) -> str:
    """Text of a line whose bytes are no UTF-8, with U+FFFD for what is none, as the core puts it.

    Java takes the bytes of a surrogate for one fault, Python each for one of its own: here the first becomes a
    byte that is a fault by itself.
    """
    letters = f"decode(cast({line} as binary), 'ISO-8859-1')"
    parted = f"regexp_replace({letters}, '\\u00ed(?=[\\u00a0-\\u00bf])', '\\u00ff')"
    return f"decode(encode({parted}, 'ISO-8859-1'), 'UTF-8')"


class Reading:
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

    def raw(self, source: str) -> str:
        """Value as decoded on a plain line, without what stands for no value."""
        if self.decoded_type != "string" or not self.null_values:
            return source
        return f"if({source} in ({_listed(self.null_values)}), null, {source})"

    def from_raw(self, raw: str) -> str:
        """Value of a plain line's raw value; a time may be out of range."""
        if self.kind is not FieldKind.TIMESTAMP:
            return raw
        return self._scaled(raw) if self._is_number_of_time() else self._iso_us(raw)

    def doubt(self, raw: str, value: str) -> str:
        """Whether the value on a plain line may have been of another type, or needs more care."""
        match self.kind:
            case FieldKind.INTEGER:
                return "false"
            case FieldKind.TIMESTAMP:
                return f"({raw} is not null and {value} is null)"
            case FieldKind.IP:
                return f"not coalesce({is_plain_ip(raw)}, true)"
        unsure = [literal(text) for text in ("true", "false", *_INFINITY)]
        doubts = [
            f"{raw} in ({', '.join(unsure)})",
            f"({raw} >= '-' and {raw} < ':' and {matches(raw, '-?[0-9]+[.][0-9]+(?:E-?[0-9]+)?')})",
        ]
        return f"coalesce({' or '.join(doubts)}, false)"

    @property
    def may_be_a_number(self) -> bool:
        """Whether a number on a line could pass for one of the texts that mean: no value."""
        return self.decoded_type == "string" and any(
            text.lstrip("-").isdecimal() for text in self.null_values
        )

    def token(self, marked: str) -> str:
        """Marked text of the value on another line, without what stands for no value."""
        token = f"{marked}.{quoted('s' + self.column)}"
        if not self.null_values:
            return token
        return f"if({token} in ({_listed('s' + text for text in self.null_values)}), null, {token})"

    def from_token(self, token: str) -> str:
        """Value of a token, null where it can't be read as this field's; a time may be out of range."""
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
        # The session's zone is UTC. A zone in the text is looked up by a regular expression that Spark compiles
        # anew for each value, which took longer than all of JSON.
        without_z = f"substring_index({text}, 'Z', 1)"
        return (
            f"if({matches(text, ISO_TIME)}, unix_micros(try_cast({without_z} as timestamp)), null)"
        )

    def checked(self, column: str) -> str:
        """Value of a column, null for a time out of range."""
        if self.kind is not FieldKind.TIMESTAMP:
            return column
        assert self.format is not None
        lowest = 1 - TIME_LIMIT_US if self.format.is_duration else 0
        return f"if({column} >= {lowest}L and {column} < {TIME_LIMIT_US}L, {column}, null)"


def readings_of(spec: JobSpec) -> list[Reading]:
    """The readings of all fields and deduplication keys that come from a column."""
    null_values = spec.input.null_values
    fields = [
        Reading(flow_field.name, source.column, flow_field.kind, source, null_values)
        for flow_field, source in spec.input.bound_fields()
        if source.column is not None
    ]
    keys = [
        Reading(key_column(name), name, FieldKind.TEXT, FieldSource(column=name), null_values)
        for name in spec.key_columns
    ]
    return fields + keys


def canonical(readings: Sequence[Reading], spec: JobSpec, values: str = "") -> list[str]:
    """Flow fields and deduplication keys as SQL, over columns (or members of `values`) named as readings."""
    own = {reading.name: reading for reading in readings}
    constants = spec.input.constants()
    fields = []
    for flow_field in FLOW_FIELDS:
        name = quoted(flow_field.name)
        if flow_field.name in own:
            source = own[flow_field.name]
            value = _in_case(source.finished(values + name), flow_field)
            if source.format is not None and source.format.is_duration:
                value = f"({values}event_start + {value})"
        elif flow_field.name in constants:
            value = literal(constants[flow_field.name])
        else:
            value = f"cast(null as {_SQL_TYPES[flow_field.kind]})"
        fields.append(f"{value} as {name}")
    keys = [quoted(key_column(name)) for name in spec.key_columns]
    return [*fields, *(f"{values}{name} as {name}" for name in keys)]


IP_FIELDS = [field.name for field in FLOW_FIELDS if field.kind is FieldKind.IP]


def _in_case(text: str, flow_field: FlowField) -> str:
    match flow_field.case:
        case Case.LOWER:
            return f"lower({text})"
        case Case.UPPER:
            return f"upper({text})"
    return text


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(literal(text) for text in texts)

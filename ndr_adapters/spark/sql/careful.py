"""Lines -> flow records as read, where that takes care: `ndr_core.flows.json_line`, compiled for Spark SQL.

A line is marked before it is read: each JSON string gets an `s` as its first character, keys included, so
that the type of every value shows in its first character, and nothing on the line can forge the element
that marks its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen
from pyspark.sql import DataFrame

from ndr_adapters.spark.sql.expr import Sql, literal, matches, quoted
from ndr_adapters.spark.sql.fields import (
    IP_FIELDS,
    STRICT_JSON,
    Reading,
    bad_times,
    canonical,
    readings_of,
    selected,
)
from ndr_adapters.spark.sql.ip_address import canonical_ips
from ndr_adapters.spark.sql.time_text import number_us, text_us
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.json_text import (
    LONG_NUMBER,
    MAX_DEPTH,
    MAX_NUMBER_CHARACTERS,
    MAX_RAW_BYTES,
    PAIRED_ESCAPE,
    STRING_TOKEN,
)
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.outcome import BAD_VALUE, MALFORMED, READ, SKIPPED
from ndr_core.flows.record import FieldKind
from ndr_core.flows.time_format import TimeFormat
from ndr_core.flows.time_zone import ZoneOffsets, zone_offsets
from ndr_core.flows.values import INTEGER, MAX_INTEGRAL_DOUBLE, NUMBER

_DIGITS: Final = "-?[0-9]+"


@frozen
class _Careful:
    """How a value is read from a marked line, step by step: each step's struct has a member for each reading."""

    reading: Reading
    zone: ZoneOffsets | None

    def token(self, places: Mapping[Leaf, Sql]) -> Sql:
        """Marked text of the value, without what stands for no value. `places`: where the text of each leaf is."""
        tokens = [self._without_nulls(places[leaf]) for leaf in self.reading.leaves]
        return tokens[0] if len(tokens) == 1 else Sql(f"coalesce({', '.join(tokens)})")

    def _without_nulls(self, token: Sql) -> Sql:
        if not self.reading.null_values:
            return token
        nulls = ", ".join(literal("s" + text) for text in self.reading.null_values)
        return Sql(f"if({token} in ({nulls}), null, {token})")

    @property
    def value(self) -> Sql:
        """Value of the token, null where it can't be read as this one's."""
        token = Sql(f"token.{quoted(self.reading.name)}")
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
        string = Sql(f"if({is_string}, {content}, null)")
        times = [
            self.reading.held(
                number_us(bare, one)
                if isinstance(one, TimeFormat) and one.is_number
                else text_us(string, one, self.zone),
                place,
            )
            for place, one in enumerate(self.reading.formats)
        ]
        return times[0] if len(times) == 1 else Sql(f"coalesce({', '.join(times)})")


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
    zone = None if plan.input.timezone is None else zone_offsets(plan.input.timezone)
    fields = [_Careful(reading, zone) for reading in readings]
    names = [reading.name for reading in readings]
    leaves = list(dict.fromkeys(leaf for reading in readings for leaf in reading.leaves))
    schema = f"array<struct<{_members(leaves)}, e: string>>"
    read = (
        lines.selectExpr("line", f"if({_may_be_read('line')}, {_marked('line')}, null) as marked")
        .selectExpr(
            "line",
            f"from_json(marked, {literal(schema)}, map({STRICT_JSON})) as elements",
        )
        .selectExpr(
            "line", "if(size(elements) = 2 and elements[1].e = '1', elements[0], null) as marked"
        )
    )
    read, places = _opened(read, leaves)
    # Each step is one struct, null where the line is no object.
    tokens = (field.token(places) for field in fields)
    read = (
        read.selectExpr("*", _struct("token", "marked", names, tokens))
        .selectExpr("*", _struct("careful", "token", names, (field.value for field in fields)))
        .selectExpr("*", f"if(careful is null, null, {_fault(readings)}) as fault")
    )
    outcome = (
        f"case when careful is null then {MALFORMED} "
        f"when {selected(plan, 'careful.', 'token.')} = {SKIPPED} then {SKIPPED} "
        f"when fault is not null then {BAD_VALUE} else {READ} end as outcome"
    )
    fault = f"if({selected(plan, 'careful.', 'token.')} = {SKIPPED}, null, fault) as fault"
    flows = read.selectExpr("line", outcome, fault, *canonical(readings, plan, "careful."))
    return canonical_ips(flows, IP_FIELDS)


def _members(leaves: Iterable[Leaf]) -> str:
    """The members of a struct for the first names of some leaves: each a text, whatever its value."""
    names = dict.fromkeys(leaf[0] for leaf in leaves)
    return ", ".join(f"{quoted('s' + name)}: string" for name in names)


def _opened(frame: DataFrame, leaves: Sequence[Leaf]) -> tuple[DataFrame, dict[Leaf, Sql]]:
    """Open inner objects, each a column of its own; gives where the text of each leaf is then.

    An object's text is read again: Spark would take a line for malformed where another value stands in its place.
    """
    places = {leaf[:1]: Sql(f"marked.{quoted('s' + leaf[0])}") for leaf in leaves}
    deepest = max(map(len, leaves), default=1)
    for depth in range(1, deepest):
        columns = []
        for above in dict.fromkeys(leaf[:depth] for leaf in leaves if len(leaf) > depth):
            below = [leaf[depth:] for leaf in leaves if leaf[:depth] == above and len(leaf) > depth]
            name = quoted(f"opened {len(places)}")
            schema = literal(f"struct<{_members(below)}>")
            text = places[above]
            opened = f"from_json({text}, {schema}, map({STRICT_JSON}))"
            columns.append(f"if(startswith({text}, '{{'), {opened}, null) as {name}")
            for leaf in below:
                places[(*above, leaf[0])] = Sql(f"{name}.{quoted('s' + leaf[0])}")
        frame = frame.selectExpr("*", *columns)
    return frame, places


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


def _fault(readings: Sequence[Reading]) -> Sql:
    """The first field with a value that can't be read; so does a time by a duration that is none that can be."""
    cases = []
    bad = bad_times(readings, "careful.")
    for reading in readings:
        name = quoted(reading.name)
        if reading.fault is not None:
            unread = f"token.{name} is not null and careful.{name} is null"
            cases.append(f"when {unread} then {literal(reading.fault)}")
        if reading.name == "event_end":
            cases += (f"when {is_bad} then {literal(name)}" for name, is_bad in bad.items())
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

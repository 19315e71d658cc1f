"""Names and values of a JobSpec are text, whatever they hold: no engine takes them for SQL, patterns or variables."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.spec import JobSpec
from tests.makers import differences, make_plan, make_spec, write_batch
from tests.soak import examples
from tests.support import run_engine, run_reference, spark_sql_engine

SECRET = "NDR_TEST_SECRET"
os.environ[SECRET] = "canary-of-a-secret"  # before a JVM starts, which takes its environment along

_PIECES = [
    *("${env:NDR_TEST_SECRET}", "${system:user.dir}", "${spark.app.name}", "${", "}", "$1", "\\1"),
    *("'", '"', "`", "``", "--", "/*", ";", "\n", "\t", "\\", "\\u0041", " ", "` ", "a b"),
    *(
        "*",
        ".*",
        "^",
        "^.*$",
        "$",
        ".",
        "[0]",
        "(?:a|b)+$",
        "%s",
        "{0}",
        ":",
        "key:",
        "\U0001f600",
        "x",
    ),
]
texts = st.one_of(
    st.sampled_from(_PIECES),
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join),
)
_FIELDS = ("event_action", "event_reason", "source_bytes", "event_end", "destination_port")


@frozen
class Case:
    """A spec of odd names, and lines that have them."""

    spec: JobSpec
    lines: list[str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = draw(st.lists(texts, min_size=8, max_size=8, unique=True))
    columns = dict(zip(_FIELDS, names, strict=False))
    keys = names[len(_FIELDS) :]
    values = draw(st.lists(texts, min_size=3, max_size=3))
    fields: dict[str, Any] = {name: columns[name] for name in ("source_bytes", "destination_port")}
    fields["event_action"] = {
        "column": columns["event_action"],
        "map": draw(st.dictionaries(texts, texts, max_size=3)),
    }
    fields["event_reason"] = {"column": columns["event_reason"], "optional": True}
    fields["event_end"] = {"column": columns["event_end"], "format": "iso8601", "optional": True}
    fields["event_name"] = {"constant": draw(texts)}
    fields = {
        name: {"optional": True, "column": s} if isinstance(s, str) else s
        for name, s in fields.items()
    }
    spec = make_spec(
        input={
            "preset": "paloalto",
            "fields": fields,
            "null_values": draw(st.lists(texts, max_size=2)),
        },
        quality={"deduplicate_on": ["source_ip", *keys]} if draw(st.booleans()) else {},
    )
    lines = [draw(_lines(columns, keys, values)) for _ in range(draw(st.integers(1, 6)))]
    return Case(spec, lines)


def _lines(columns: dict[str, str], keys: list[str], values: list[str]) -> st.SearchStrategy[str]:
    text = st.one_of(st.sampled_from(values), texts)
    always = {
        "source_ip": st.sampled_from(["10.0.0.1", "10.0.0.2"]),
        "destination_ip": st.just("192.0.2.7"),
        "event_start": st.just("2025-03-01T10:00:00Z"),
        columns["event_action"]: text,
        columns["event_reason"]: text,
        columns["source_bytes"]: st.integers(0, 9),
        columns["destination_port"]: st.just(443),
        **dict.fromkeys(keys, text),
    }
    sometimes = {
        columns["event_end"]: st.just("2025-03-01T10:00:05Z"),
        "network_transport": text,
        f"${{env:{SECRET}}}": text,
        os.environ[SECRET]: text,
    }
    optional = {key: value for key, value in sometimes.items() if key not in always}
    record = st.fixed_dictionaries(always, optional=optional)
    return st.builds(json.dumps, record, ensure_ascii=st.booleans())


RECORD = {
    "source_ip": "10.0.0.1",
    "destination_ip": "192.0.2.7",
    "event_start": "2025-03-01T10:00:00Z",
}


def check(engine: Engine, case: Case) -> None:
    plan = make_plan(case.spec)
    with tempfile.TemporaryDirectory() as folder:
        batch = write_batch(Path(folder) / "in", [case.lines])
        expected = run_reference(plan, batch)
        actual = run_engine(engine, plan, batch, Path(folder) / "out")
    assert differences(expected, actual) == []


@settings(max_examples=examples(80), deadline=None)
@given(cases())
def test_polars_takes_names_and_values_as_they_are_written(case: Case) -> None:
    check(PolarsEngine(), case)


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(4),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(cases())
def test_spark_takes_names_and_values_as_they_are_written(case: Case) -> None:
    check(spark_sql_engine(), case)


def test_a_spec_that_names_a_variable_of_the_environment_does_not_get_it() -> None:
    """With a substituted name both keys would be one column, and the secret a name in plans and messages."""
    name = f"${{env:{SECRET}}}"
    spec = make_spec(quality={"deduplicate_on": [name, f"{name}${{nope}}"]})
    record = RECORD | {"source_bytes": 1}
    lines = [
        json.dumps(record | {name: "a", f"{name}${{nope}}": other, os.environ[SECRET]: "c"})
        for other in ("b", "b", "c")
    ]
    check(spark_sql_engine(), Case(spec, lines))


@pytest.mark.parametrize("column", ["*", "^.*$", "a` b", "${spark.app.name}"])
def test_a_column_of_this_name_is_only_a_column(engine: Engine, column: str) -> None:
    spec = make_spec(input={"preset": "paloalto", "fields": {"source_bytes": column}})
    record = RECORD | {"source_bytes": 1, "event_reason": "x"}
    check(engine, Case(spec, [json.dumps(record | {column: 5}), json.dumps(record)]))

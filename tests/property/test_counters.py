"""Counters of JobSpecs count the same in every engine, and what a plain look at the records counts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from attrs import frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.engine import PolarsEngine
from ndr_core.deltas.engine import Engine
from tests.makers import assert_equal, flow, make_plan, make_spec, outcome_of, us, write_batch
from tests.property.flows import batches
from tests.soak import examples
from tests.support import run_engine, run_reference, spark_engine, spark_sql_engine

TEXTS = {
    "event_action": ["allow", "DENY", "drop", "reset*", "*", "\U0001f600", "'", ""],
    "event_reason": ["tcp-rst*", "aged-out", "tcp-rst-from-client", "a`b*"],
    "event_name": ["TRAFFIC", "THREAT", "T*"],
    "network_transport": ["tcp", "UDP", "ICMP", "I*"],
}
PORTS = [0, 22, 53, 443, "0-65535", "1024-65535", "22-53", "52-54", 65535]
LENGTHS = ["<0.2", "<=0", ">0", ">=0.5 <2", "<0.000001", ">1 <1", "<=4503599627"]


@frozen
class Case:
    """Counters, and lines that they see."""

    counters: dict[str, Any]
    lines: list[bytes]


_KEYS: dict[str, st.SearchStrategy[Any]] = {
    **{
        name: st.lists(st.sampled_from(texts), min_size=1, max_size=3)
        for name, texts in TEXTS.items()
    },
    "peer_port": st.lists(st.sampled_from(PORTS), min_size=1, max_size=3),
    "duration_s": st.sampled_from(LENGTHS),
}
_COUNTERS = st.dictionaries(
    st.sampled_from(["a_cnt", "dns_tcp_cnt", "host_cnt", "x_sessions_cnt"]),
    st.fixed_dictionaries({}, optional=_KEYS).filter(bool),
    min_size=1,
    max_size=3,
)


def cases(most: int) -> st.SearchStrategy[Case]:
    return st.builds(Case, _COUNTERS, batches(most))


def check(engine: Engine, case: Case) -> None:
    plan = make_plan(make_spec(delta={"measures": [], "counters": case.counters}))
    with tempfile.TemporaryDirectory() as folder:
        batch = write_batch(Path(folder) / "in", [case.lines])
        expected = outcome_of(lambda: run_reference(plan, batch))
        actual = outcome_of(lambda: run_engine(engine, plan, batch, Path(folder) / "out"))
    assert_equal(expected, actual)


@settings(max_examples=examples(30), deadline=None)
@given(cases(20))
def test_polars_counts_as_the_reference(case: Case) -> None:
    check(PolarsEngine(), case)


few = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(3),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@few
@given(cases(80))
def test_spark_sql_counts_as_the_reference(case: Case) -> None:
    check(spark_sql_engine(), case)


@few
@given(cases(80))
def test_spark_counts_as_the_reference(case: Case) -> None:
    check(spark_engine(), case)


_SEEN = st.fixed_dictionaries(
    {
        "destination_port": st.sampled_from([0, 21, 22, 53, 54, 1023, 1024, 65535, None]),
        "network_transport": st.sampled_from(["TCP", "UDP", None]),
        "event_reason": st.sampled_from(["tcp-rst-from-client", "tcp-rst", "aged-out", None]),
        "event_end": st.sampled_from(
            [None, *(f"2025-03-01T10:00:{end}Z" for end in ("00", "00.199999", "00.2", "01"))]
        ),
    }
)


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(_SEEN, min_size=1, max_size=12))
def test_the_reference_counts_what_a_plain_look_at_the_records_counts(
    seen: list[dict[str, Any]],
) -> None:
    counters = {
        "dns_tcp_cnt": {"network_transport": ["TCP"], "peer_port": [53]},
        "high_cnt": {"peer_port": [22, "1024-65535"]},
        "reset_cnt": {"event_reason": ["tcp-rst*"]},
        "brief_cnt": {"duration_s": "<0.2"},
    }
    plan = make_plan(make_spec(delta={"counters": counters}))
    with tempfile.TemporaryDirectory() as folder:
        lines = [json.dumps(flow(**one)) for one in seen]
        batch = write_batch(Path(folder) / "in", [lines])
        (row,) = [row for row in run_reference(plan, batch).deltas if row["role"] == "outbound"]

    start = us("2025-03-01T10:00:00Z")
    ports = [one["destination_port"] for one in seen]
    lengths = [us(one["event_end"]) - start for one in seen if one["event_end"]]
    assert {name: row[name] for name in counters} == {
        "dns_tcp_cnt": sum(
            one["network_transport"] == "TCP" and one["destination_port"] == 53 for one in seen
        ),
        "high_cnt": sum(port is not None and (port == 22 or port >= 1024) for port in ports),
        "reset_cnt": sum(str(one["event_reason"]).startswith("tcp-rst") for one in seen),
        "brief_cnt": sum(length < 200_000 for length in lengths),
    }

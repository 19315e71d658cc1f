"""One-way records become the same flows in every engine, whatever tasks and files they lie in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.reference import build_tables
from ndr_core.errors import OverflowingColumnError
from ndr_core.int64 import INT64_MAX
from tests.chains import RunnerHere
from tests.makers import assert_equal, make_plan, make_spec, outcome_of, write_batch
from tests.property.test_equivalence import CUTS, OddCut
from tests.soak import examples
from tests.support import run_engine, run_reference, spark_session

ONE_WAY: Final = {
    "source_packets": "packets",
    "tcp_flags": "flags",
    "destination_bytes": {"column": "answered", "optional": True},
}
SPECS: Final = {
    "biflow": make_spec(input={"preset": "paloalto", "pairing": "biflow", "fields": ONE_WAY}),
    "biflow by the start, deduplicating": make_spec(
        input={"preset": "paloalto", "pairing": "biflow", "fields": ONE_WAY},
        delta={"moment": "event_start", "slice_minutes": 1},
        quality={"deduplicate_on": ["source_ip", "event_start", "source_port"]},
    ),
    "biflow without port sets": make_spec(
        input={"preset": "paloalto", "pairing": "biflow", "fields": ONE_WAY},
        enrichment={"port_sets": {}},
    ),
}
_ADDRESSES: Final = ["10.0.0.5", "9.0.0.5", "2001:db8::1", "::ffff:10.0.0.5"]
_PORTS: Final = [None, 53, 443, 1023, 1024, 4444, 8443, 50000]
_MINUTE_S: Final = 60


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return f"2025-03-01T10:{int(seconds) // _MINUTE_S:02}:{seconds % _MINUTE_S:09.6f}Z"


def _record(
    ends: tuple[tuple[str, int | None], tuple[str, int | None]],
    start: float,
    length: float | None,
    other: Mapping[str, Any],
) -> dict[str, Any]:
    (source, source_port), (destination, destination_port) = ends
    return {
        "source_ip": source,
        "source_port": source_port,
        "destination_ip": destination,
        "destination_port": destination_port,
        "event_start": _time(start),
        "event_end": _time(None if length is None else start + length),
    } | dict(other)


_ENDS = st.tuples(st.sampled_from(_ADDRESSES), st.sampled_from(_PORTS))
_AMOUNTS = st.sampled_from([None, 0, 1, 40, 1_000_000, 1 << 40, -1])
_RECORDS: st.SearchStrategy[dict[str, Any]] = st.builds(
    _record,
    st.tuples(_ENDS, _ENDS),
    st.sampled_from([0.0, 1.0, 59.5, 60.0, 899.999999, 900.0, 1500.0]),
    st.sampled_from([None, -1.0, 0.0, 0.5, 60.0, 900.0]),
    st.fixed_dictionaries(
        {
            "source_bytes": _AMOUNTS,
            "packets": _AMOUNTS,
            "flags": st.sampled_from([None, 0, 2, 16, 18, 19, 27, 2 + 32, -2]),
            "event_action": st.sampled_from([None, "allow", "deny", "drop", "alert", "let be"]),
            "event_reason": st.sampled_from([None, "aged-out", "tcp-fin", "\U0001f600", "\uffff"]),
            "event_name": st.sampled_from(["TRAFFIC", "TRAFFIC", "THREAT", None]),
            "network_transport": st.sampled_from(["tcp", "tcp", "icmp", "udp", None]),
        },
        optional={"answered": _AMOUNTS},
    ),
)


def _with_replies(records: list[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """The same records, and some of them from the other end."""
    if not records:
        return st.just(records)
    return st.lists(st.sampled_from(records).map(_reply), max_size=2 * len(records)).map(
        lambda replies: records + replies
    )


def _reply(record: dict[str, Any]) -> dict[str, Any]:
    ends = {
        f"{side}_{part}": record[f"{other}_{part}"]
        for side, other in (("source", "destination"), ("destination", "source"))
        for part in ("ip", "port")
    }
    return record | ends | {"packets": 3}


def batches(most: int = 30) -> st.SearchStrategy[list[bytes]]:
    """Lines of one-way records of few ends."""
    records = st.lists(_RECORDS, max_size=most).flatmap(_with_replies)
    return records.map(lambda some: [json.dumps(record).encode() for record in some])


def check(engine: Engine, lines: list[bytes], spec: str) -> None:
    plan = make_plan(SPECS[spec], None)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        batch = write_batch(root / "in", [lines[n::3] for n in range(3)])
        expected = outcome_of(lambda: run_reference(plan, batch))
        actual = outcome_of(lambda: run_engine(engine, plan, batch, root / "out"))
    assert_equal(expected, actual)


@settings(max_examples=examples(40), deadline=None)
@given(batches(), st.sampled_from(list(SPECS)), st.sampled_from((1 << 27, 400)))
def test_polars_pairs_as_the_reference_does(lines: list[bytes], spec: str, share: int) -> None:
    check(PolarsEngine(input_bytes_per_share=share), lines, spec)


@settings(max_examples=examples(25), deadline=None)
@given(batches(), st.sampled_from(list(SPECS)), CUTS, st.integers(0, 99))
def test_kernels_in_any_tasks_pair_as_the_reference_does(
    lines: list[bytes], spec: str, odd: OddCut, seed: int
) -> None:
    check(FanoutEngine(RunnerHere(seed=seed), cut=odd), lines, spec)


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(3),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(batches(200), st.sampled_from(list(SPECS)), CUTS)
def test_spark_pairs_as_the_reference_does(lines: list[bytes], spec: str, odd: OddCut) -> None:
    check(FanoutEngine(SparkRunner(spark_session()), cut=odd), lines, spec)


@pytest.mark.parametrize(
    "engine", [PolarsEngine(), FanoutEngine(RunnerHere(seed=1))], ids=["polars", "kernels"]
)
def test_a_flow_whose_bytes_leave_int64_is_an_error_that_names_column_and_host(
    engine: Engine,
) -> None:
    ends = (("10.0.0.5", 50000), ("203.0.113.5", 443))
    record = _record(ends, 0.0, 1.0, {"source_bytes": INT64_MAX})
    lines = [json.dumps(one).encode() for one in (record, record, _reply(record))]

    with pytest.raises(OverflowingColumnError, match=r"bytes_sent_sum: .*10\.0\.0\.5"):
        build_tables(lines, make_plan(SPECS["biflow"], None))

    check(engine, lines, "biflow")

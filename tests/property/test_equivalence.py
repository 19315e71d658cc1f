"""Every engine gives exactly what the reference gives, whatever the lines hold."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attrs import frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ndr_adapters.polars import cell_counts
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.shares import Shares
from ndr_adapters.spark.sql.engine import SparkSqlEngine
from ndr_core.deltas.engine import Engine
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.source import InputBatch
from tests.chains import RunnerHere
from tests.makers import (
    assert_equal,
    differences,
    make_plan,
    make_spec,
    outcome_of,
    write_batch,
)
from tests.property.flows import PACKED, batches, plain_batches
from tests.property.mappings import MAPPINGS, mapped_batches
from tests.soak import examples
from tests.support import run_engine, run_reference, spark_session, spark_sql_engine

SLICE = ("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z")
BOUNDS: list[tuple[str, str] | None] = [
    None,
    SLICE,
    ("2025-03-01T10:00:00Z", "2025-03-01T12:00:00Z"),
    ("2025-03-01T09:00:00Z", "2025-03-01T10:00:00Z"),
    ("2025-03-01T11:00:00Z", "2025-03-02T00:00:00Z"),
]
"""Each on the grid of all specs that it is used with; records lie before, in and after."""
DEDUPLICATE = {"deduplicate_on": ["source_ip", "destination_ip", "event_start", "extra"]}
SPECS: dict[str, JobSpec] = {
    "packets": make_spec(input={"preset": "paloalto", "fields": PACKED}),
    "packets of one side, deduplicating on what repairs change": make_spec(
        input={
            "preset": "paloalto",
            "fields": {"destination_packets": "packets_in", "source_ip_bytes": "ip_out"},
            "lost": {"column": "event_reason", "value": "aged-out"},
        },
        quality={"deduplicate_on": ["event_end", "source_port", "event_name"]},
        delta={"measures": ["packets_recv_sum", "alert_cnt", "duration_quantiles"]},
    ),
    "plain": make_spec(),
    "deduplicating": make_spec(quality=DEDUPLICATE),
    "deduplicating on one field": make_spec(quality={"deduplicate_on": ["source_ip"]}),
    "with null texts": make_spec(input={"preset": "paloalto", "null_values": ["-", "", "10", "0"]}),
    "one column twice": make_spec(
        input={
            "preset": "paloalto",
            "fields": {
                "event_reason": {"column": "event_action", "map": {"allow": "aged-out"}},
                "source_port": "event_start",
            },
        }
    ),
    "epoch times": make_spec(
        input={
            "preset": "paloalto",
            "fields": {"event_start": {"column": "event_start", "format": "epoch_s"}},
        }
    ),
    "few measures": make_spec(delta={"measures": ["bytes_sent_quantiles", "duration_sum"]}),
    "no peers": make_spec(delta={"measures": ["allow_cnt"]}),
    "counters": make_spec(
        delta={
            "measures": ["allow_cnt"],
            "counters": {
                "dns_tcp_cnt": {"network_transport": ["TCP"], "peer_port": [53]},
                "high_cnt": {"peer_port": [0, 22, "1024-65535"]},
                "rst_or_aged_cnt": {"event_reason": ["tcp-rst*", "aged-out"]},
                "brief_cnt": {"duration_s": ">0 <0.2", "event_action": ["*"]},
            },
        }
    ),
    "slices of a minute": make_spec(delta={"slice_minutes": 1}),
    "slices of an hour by the start": make_spec(
        delta={"slice_minutes": 60, "moment": "event_start"},
        quality={"allowed_lateness": "10m", "allowed_earliness": "1h"},
    ),
    "by the start, nothing late": make_spec(
        delta={"slice_minutes": 5, "moment": "event_start"},
        quality={"allowed_lateness": "0s", "allowed_earliness": "0s"},
    ),
    "nothing early, deduplicating": make_spec(
        quality={**DEDUPLICATE, "allowed_lateness": "20m", "allowed_earliness": "0s"},
    ),
    "durations": make_spec(
        input={
            "preset": "paloalto",
            "fields": {"event_end": {"column": "source_bytes", "format": "duration_s"}},
        },
        delta={"slice_minutes": 20},
    ),
}
HOURLY = [name for name, spec in SPECS.items() if spec.delta.slice_minutes not in (1, 5, 15)]
"""Specs on whose grid SLICE does not lie."""


def in_tiny_tasks() -> Engine:
    """Spark where a batch of some bytes is one for several tasks, and its hosts are busy ones."""
    return SparkSqlEngine(spark_session(), input_bytes_per_task=1)


@frozen
class Case:
    """A mini-batch, and how it is read."""

    lines: list[bytes]
    spec: str
    bounds: tuple[str, str] | None
    """The span that the run is for."""
    files: int


@frozen
class OddCut:
    """A batch cut into tasks in whatever way: what is built must not depend on it."""

    large: tuple[bool, ...]
    """Which files others than their reader make records of."""
    apart: bool
    """Whether each of the other files has a task of its own."""
    lines: int
    built: int

    def __call__(self, batch: InputBatch, _cores: int) -> Shares:
        pairs = list(zip(batch.files, self.large, strict=False))
        large = tuple((file,) for file, is_large in pairs if is_large)
        small = tuple(file for file, is_large in pairs if not is_large)
        files = tuple((file,) for file in small) if self.apart else (small,) * bool(small)
        return Shares(files, large, self.lines if large else 0, self.built)


CUTS = st.builds(
    OddCut,
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 7),
)


def cases(batches: st.SearchStrategy[list[bytes]]) -> st.SearchStrategy[Case]:
    specs_and_bounds = [
        (spec, bounds)
        for spec in SPECS
        for bounds in BOUNDS
        if not (bounds == SLICE and spec in HOURLY)
    ]
    return st.builds(
        lambda lines, chosen, files: Case(lines, chosen[0], chosen[1], files),
        batches,
        st.sampled_from(specs_and_bounds),
        st.integers(1, 3),
    )


def check(engine: Engine, case: Case) -> None:
    check_plan(engine, case, make_plan(SPECS[case.spec], case.bounds))


def check_plan(engine: Engine, case: Case, plan: DeltaPlan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        batch = write_batch(root / "in", [case.lines[n :: case.files] for n in range(case.files)])
        expected = outcome_of(lambda: run_reference(plan, batch))
        actual = outcome_of(lambda: run_engine(engine, plan, batch, root / "out"))
    assert_equal(expected, actual)


@settings(max_examples=examples(100), deadline=None)
@given(cases(batches()), st.sampled_from((1 << 27, 400)), st.sampled_from((1 << 22, 40)))
def test_polars_equals_the_reference(
    case: Case, input_bytes_per_share: int, buckets_at_once: int
) -> None:
    with patch.object(cell_counts, "_BUCKETS_AT_ONCE", buckets_at_once):
        check(PolarsEngine(input_bytes_per_share=input_bytes_per_share), case)


def mapped_case(lines: list[bytes], files: int) -> Case:
    return Case(lines, "mapped", None, files)


@settings(max_examples=examples(100), deadline=None)
@given(MAPPINGS, mapped_batches(), st.booleans())
def test_polars_equals_the_reference_for_any_mapping(
    mapping: dict[str, Any], lines: list[bytes], deduplicates: bool
) -> None:
    quality = {"deduplicate_on": ["x", "source_ip"]} if deduplicates else {}

    plan = make_plan(make_spec(input=mapping, quality=quality))

    check_plan(PolarsEngine(), mapped_case(lines, 2), plan)


@settings(max_examples=examples(60), deadline=None)
@given(cases(batches()), CUTS, st.integers(0, 99))
def test_kernels_in_any_tasks_equal_the_reference(case: Case, odd: OddCut, seed: int) -> None:
    check(FanoutEngine(RunnerHere(seed=seed), cut=odd), case)


@settings(max_examples=examples(20), deadline=None)
@given(
    st.lists(plain_batches(), max_size=3).map(chain.from_iterable).map(list),
    st.booleans(),
    CUTS,
    st.integers(0, 99),
)
def test_kernels_on_busy_hosts_equal_the_reference(
    lines: list[bytes], deduplicates: bool, odd: OddCut, seed: int
) -> None:
    case = Case(lines, "deduplicating" if deduplicates else "plain", SLICE, files=3)
    check(FanoutEngine(RunnerHere(seed=seed), cut=odd), case)


# Spark takes seconds for any batch: each of its few examples is a large one, and none is shrunk.
@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(cases(batches(240)), st.booleans())
def test_spark_sql_equals_the_reference(case: Case, in_many_tasks: bool) -> None:
    check(in_tiny_tasks() if in_many_tasks else spark_sql_engine(), case)


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(cases(batches(240)), CUTS)
def test_spark_equals_the_reference(case: Case, odd: OddCut) -> None:
    check(FanoutEngine(SparkRunner(spark_session()), cut=odd), case)


@settings(max_examples=examples(20), deadline=None)
@given(plain_batches(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_neither_order_nor_file_split_matters(
    lines: list[bytes], random: object, files: int
) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    plan = make_plan(SPECS["deduplicating"], SLICE)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        one = write_batch(root / "one", [lines])
        other = write_batch(root / "other", [shuffled[n::files] for n in range(files)])
        first = run_engine(PolarsEngine(), plan, one, root / "out1")
        second = run_engine(PolarsEngine(), plan, other, root / "out2")
        assert differences(first, second) == []
        assert differences(run_reference(plan, one), run_reference(plan, other)) == []

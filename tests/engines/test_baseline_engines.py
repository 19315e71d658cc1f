"""The engines of summaries and baselines read what was published, and stage what was worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from attrs import evolve

from ndr_adapters.polars.features.baseline_engine import PolarsBaselineEngine
from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_adapters.polars.features.summary_engine import PolarsSummaryEngine
from ndr_adapters.reference.baselines import ReferenceBaselineEngine, ReferenceSummaryEngine
from ndr_adapters.spark.fanout.feature_engines import FanoutBaselineEngine, FanoutSummaryEngine
from ndr_core.baselines.engine import BaselineEngine, SummaryEngine
from ndr_core.baselines.tables import (
    BASELINE_TABLES,
    SUMMARY,
    SUMMARY_ROWS,
)
from ndr_core.errors import NdrError
from ndr_core.tables.columns import Histogram
from tests.baseline_cases import (
    BASELINE_CASES,
    DATE,
    EVERY_COLUMN,
    EVERY_COLUMN_OF_A_SUMMARY,
    SUMMARY_CASES,
    TEN_FOR_SEVEN_DAYS,
    BaselineCase,
    SummaryCase,
    tables_of,
)
from tests.baseline_frames import file_order
from tests.chains import RunnerHere
from tests.engines.baseline_outputs import BaselineOutput
from tests.engines.feature_outputs import sorted_as_read
from tests.property.frames import exactly


def in_shares(count: int) -> Callable[[int, int], int]:
    """Cut hosts into so many shares."""
    return lambda _rows, _cores: count


TASKS = RunnerHere(seed=3)
"""Runs tasks as Spark does, in this process."""

SUMMARY_ENGINES = [
    pytest.param(ReferenceSummaryEngine(), id="reference"),
    pytest.param(PolarsSummaryEngine(), id="polars"),
    pytest.param(PolarsSummaryEngine(rows_at_once=1), id="polars in shares"),
    pytest.param(FanoutSummaryEngine(TASKS, cut=in_shares(1)), id="spark in one share"),
    pytest.param(FanoutSummaryEngine(TASKS, cut=in_shares(3)), id="spark in shares"),
]
BASELINE_ENGINES = [
    pytest.param(ReferenceBaselineEngine(), id="reference"),
    pytest.param(PolarsBaselineEngine(), id="polars"),
    pytest.param(PolarsBaselineEngine(bytes_at_once=1), id="polars in shares"),
    pytest.param(FanoutBaselineEngine(TASKS, cut=in_shares(1)), id="spark in one share"),
    pytest.param(FanoutBaselineEngine(TASKS, cut=in_shares(3)), id="spark in shares"),
]


def built(output: BaselineOutput, case: BaselineCase) -> dict[str, list[str]]:
    return {table.name: exactly(output.rows(table, case.date)) for table in BASELINE_TABLES}


def expected(case: BaselineCase) -> dict[str, list[str]]:
    tables = case.build()
    return {
        table.name: exactly(sorted_as_read(tables[table.name], table)) for table in BASELINE_TABLES
    }


@pytest.mark.parametrize("engine", SUMMARY_ENGINES)
@pytest.mark.parametrize("case", SUMMARY_CASES, ids=lambda case: case.name)
def test_a_summary_of_published_windows_is_that_by_hand(
    engine: SummaryEngine, case: SummaryCase, tmp_path: Path
) -> None:
    output = BaselineOutput(tmp_path)
    output.publish_windows([*case.included, *case.excluded])
    output.publish_baselines(case.plan.date, case.judge)

    output.build_summary(engine, case)

    for table, rows in ((SUMMARY, case.summary), (SUMMARY_ROWS, case.summary_rows)):
        found = output.rows(table, case.plan.date)
        assert exactly(found) == exactly(sorted_as_read(rows, table))


@pytest.mark.parametrize("engine", SUMMARY_ENGINES)
def test_windows_that_are_not_summed_up_are_not_counted(
    engine: SummaryEngine, tmp_path: Path
) -> None:
    case = EVERY_COLUMN_OF_A_SUMMARY
    others = [
        {**case.included[0], "window_label": "w_8h"},
        {**case.included[0], "window_end_ts": case.included[0]["window_end_ts"] + 900_000_000},
    ]
    output = BaselineOutput(tmp_path)
    output.publish_windows([*case.included, *case.excluded, *others])

    output.build_summary(engine, case)

    found = output.rows(SUMMARY_ROWS, case.plan.date)
    assert exactly(found) == exactly(sorted_as_read(case.summary_rows, SUMMARY_ROWS))


@pytest.mark.parametrize("engine", SUMMARY_ENGINES)
def test_a_metric_that_no_run_has_a_column_of_is_unknown(
    engine: SummaryEngine, tmp_path: Path
) -> None:
    metrics = ("sessions_cnt", "alert_cnt")
    case = evolve(EVERY_COLUMN_OF_A_SUMMARY, metrics=metrics, key_metrics=metrics)
    output = BaselineOutput(tmp_path)
    output.publish_windows([*case.included, *case.excluded], without=("alert_cnt",))

    output.build_summary(engine, case)

    found = output.rows(SUMMARY, case.plan.date)
    (at_work,) = (
        row for row in found if row["metric"] == "alert_cnt" and row["time_band"] == "wd_work"
    )
    assert at_work["included"] == ((-1, 4),)


@pytest.mark.parametrize("engine", BASELINE_ENGINES)
@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_baselines_of_published_summaries_are_those_by_hand(
    engine: BaselineEngine, case: BaselineCase, tmp_path: Path
) -> None:
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)

    output.build_baselines(engine, case.plan, output.anew(case))

    case.check(*(output.rows(table, case.date) for table in BASELINE_TABLES))
    assert built(output, case) == expected(case)


@pytest.mark.parametrize("engine", BASELINE_ENGINES)
@pytest.mark.parametrize("case", BASELINE_CASES, ids=lambda case: case.name)
def test_baselines_that_go_on_from_those_of_the_day_before_are_the_same(
    engine: BaselineEngine, case: BaselineCase, tmp_path: Path
) -> None:
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)
    before = case.the_day_before
    output.build_baselines(engine, before.plan, output.anew(before))

    output.build_baselines(engine, case.plan, output.gone_on(case))

    assert built(output, case) == expected(case)


@pytest.mark.parametrize("engine", BASELINE_ENGINES)
def test_one_horizon_may_go_on_while_another_one_is_made_anew(
    engine: BaselineEngine, tmp_path: Path
) -> None:
    case = EVERY_COLUMN
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)
    output.publish_baselines(case.date - 1, tables_of(case.the_day_before.build()))
    week, month = output.gone_on(case)[0], output.anew(case)[1]

    output.build_baselines(engine, case.plan, [week, month])

    assert built(output, case) == expected(case)


@pytest.mark.parametrize("engine", BASELINE_ENGINES)
def test_without_summaries_there_are_no_rows(engine: BaselineEngine, tmp_path: Path) -> None:
    case = TEN_FOR_SEVEN_DAYS
    output = BaselineOutput(tmp_path)
    nothing = evolve(case, summaries=evolve(case.summaries, summary=[], rows=[]))

    files = output.build_baselines(engine, case.plan, output.anew(nothing))

    assert files == {}


@pytest.mark.parametrize("engine", BASELINE_ENGINES)
def test_baselines_that_were_made_of_other_summaries_are_not_gone_on_from(
    engine: BaselineEngine, tmp_path: Path
) -> None:
    case = evolve(TEN_FOR_SEVEN_DAYS, date=DATE + 1, baseline={})
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)
    output.publish_baselines(DATE, tables_of(case.the_day_before.build()))
    (horizon,) = output.gone_on(case)

    with pytest.raises(NdrError, match="the 7d baselines of 2025-03-10 were not made from"):
        output.build_baselines(engine, case.plan, [evolve(horizon, removed=())])


def test_a_baseline_with_a_bucket_that_can_not_be_is_not_gone_on_from(tmp_path: Path) -> None:
    case = evolve(TEN_FOR_SEVEN_DAYS, date=DATE + 1, baseline={})
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)
    before = tables_of(case.the_day_before.build())
    damaged = [{**row, "included": ((BUCKETS, 1),)} for row in before.baseline]
    output.publish_baselines(DATE, evolve(before, baseline=damaged))

    with pytest.raises(NdrError, match="can't be read: included: a histogram has a bucket that is"):
        output.build_baselines(PolarsBaselineEngine(), case.plan, output.gone_on(case))


def test_cells_of_a_former_baseline_may_be_in_any_order_and_parted(tmp_path: Path) -> None:
    case = evolve(TEN_FOR_SEVEN_DAYS, date=DATE + 1, baseline={})
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)
    before = tables_of(case.the_day_before.build())
    rows = [{**row, "included": parted(row["included"])} for row in before.baseline]
    output.publish_baselines(DATE, evolve(before, baseline=rows))

    output.build_baselines(PolarsBaselineEngine(), case.plan, output.gone_on(case))

    assert built(output, case) == expected(case)


def parted(histogram: Histogram) -> Histogram:
    """The same counts: each bucket twice, the last one first, and one with nothing in it."""
    one_of_each = ((bucket, 1) for bucket, _ in reversed(histogram))
    return (*one_of_each, (7, 0), *((bucket, count - 1) for bucket, count in histogram))


def test_files_are_sorted_by_key_and_those_of_histograms_by_metric_first(tmp_path: Path) -> None:
    case = EVERY_COLUMN
    output = BaselineOutput(tmp_path)
    output.publish_summaries(case.summaries)

    output.build_baselines(PolarsBaselineEngine(bytes_at_once=1), case.plan, output.anew(case))

    for table in BASELINE_TABLES:
        paths = sorted(tmp_path.glob(f"{table.name}/**/*.parquet"))
        assert len(paths) > 3
        for path in paths:
            rows = pl.read_parquet(path, hive_partitioning=False)
            order = [key for key in file_order(table) if key in rows.columns]
            assert rows.equals(rows.sort("scope", *order))
            assert rows.columns == [column.name for column in table.file_columns]

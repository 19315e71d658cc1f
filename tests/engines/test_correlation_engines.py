"""The engines of correlations read what was published, and stage what the core's reference says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from attrs import evolve

from ndr_adapters.polars.features.correlation_engine import PolarsCorrelationEngine
from ndr_adapters.reference.correlations import ReferenceCorrelationEngine
from ndr_adapters.spark.fanout.feature_engines import FanoutCorrelationEngine
from ndr_core.baselines.rows import BaselineTables
from ndr_core.baselines.tables import BASELINE
from ndr_core.correlations.engine import CorrelationEngine
from ndr_core.correlations.formulas import SCOPE_ENDING
from ndr_core.errors import NdrError
from ndr_core.features.days import day_of_date
from ndr_core.tables.merge import Row
from ndr_core.times import day_of
from tests.chains import RunnerHere
from tests.correlation_cases import (
    ANCHOR,
    CASES,
    EVERY_COLUMN,
    LABELS_AND_ROLES,
    LADDER,
    OTHERS,
    CorrelationCase,
)
from tests.engines.baseline_outputs import BaselineOutput
from tests.engines.feature_outputs import sorted_as_read
from tests.property.frames import exactly


def in_shares(count: int) -> Callable[[int, int], int]:
    """Cut hosts into so many shares."""
    return lambda _rows, _cores: count


ENGINES = [
    pytest.param(ReferenceCorrelationEngine(), id="reference"),
    pytest.param(PolarsCorrelationEngine(), id="polars"),
    pytest.param(PolarsCorrelationEngine(bytes_at_once=1), id="polars host by host"),
    pytest.param(FanoutCorrelationEngine(RunnerHere(), cut=in_shares(1)), id="spark in one share"),
    pytest.param(FanoutCorrelationEngine(RunnerHere(), cut=in_shares(3)), id="spark in shares"),
]


def published(case: CorrelationCase, root: Path, without: Sequence[str] = ()) -> BaselineOutput:
    """Publish what a case is made of: the windows, without some columns, and the baselines of each date."""
    output = BaselineOutput(root)
    output.publish_windows(case.windows, without)
    for text in sorted({row["dt"] for row in case.baseline_rows}):
        baseline, rows = (
            [row for row in of_table if row["dt"] == text]
            for of_table in (case.baseline, case.baseline_rows)
        )
        output.publish_baselines(day_of_date(text), BaselineTables(baseline, rows))
    return output


def built(case: CorrelationCase, engine: CorrelationEngine, output: BaselineOutput) -> list[Row]:
    output.build_correlations(engine, case.plan, case.dates)
    return output.rows(case.plan.table, day_of(ANCHOR))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_correlations_of_published_windows_are_those_worked_out_by_hand(
    engine: CorrelationEngine, case: CorrelationCase, tmp_path: Path
) -> None:
    output = published(case, tmp_path)

    rows = built(case, engine, output)

    assert case.differences(rows) == {}
    assert exactly(rows) == exactly(sorted_as_read(case.build(), case.plan.table))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_metric_that_the_windows_do_not_have_is_null(
    engine: CorrelationEngine, tmp_path: Path
) -> None:
    output = published(EVERY_COLUMN, tmp_path, ["high_risk_sessions_cnt", "new_ext_bytes_sent"])

    (row,) = built(EVERY_COLUMN, engine, output)

    assert row["high_risk_sessions_cnt_z"] is None
    assert row[f"high_risk_sessions_cnt_{SCOPE_ENDING}"] == "host"
    z = row["ext_bytes_sent_sum_z"]
    assert row["exfil_score"] == z / (z + 6.0) / 2.0  # no byte counts as new


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_that_end_at_another_moment_are_left_out(
    engine: CorrelationEngine, tmp_path: Path
) -> None:
    earlier = [
        row | {"window_end_ts": ANCHOR - 900_000_000, "hh": "10", "mm": "45"}
        for row in LADDER.windows
    ]
    output = published(evolve(LADDER, windows=[*LADDER.windows, *earlier]), tmp_path)

    rows = built(LADDER, engine, output)

    assert exactly(rows) == exactly(sorted_as_read(LADDER.build(), LADDER.plan.table))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_windows_no_rows_are_made(engine: CorrelationEngine, tmp_path: Path) -> None:
    output = published(evolve(OTHERS, windows=[]), tmp_path)

    assert output.build_correlations(engine, OTHERS.plan, OTHERS.dates) == {}


def test_files_are_sorted_by_host_label_and_horizon(tmp_path: Path) -> None:
    output = published(LABELS_AND_ROLES, tmp_path)

    files = output.build_correlations(
        PolarsCorrelationEngine(), LABELS_AND_ROLES.plan, LABELS_AND_ROLES.dates
    )

    place = "fg_c/feature_spec_version=v1/dt=2025-03-12/hh=11/mm=00"
    assert files == {
        f"{place}/role=outbound/part-00000.parquet": 1,
        f"{place}/role=outbound/part-00001.parquet": 1,
        f"{place}/role=inbound/part-00002.parquet": 1,
    }


def spoil(files: Iterable[Path]) -> None:
    """Spoil the values of Parquet files, but not what says where they lie in them."""
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:4] + bytes(100) + content[104:])


def is_compared_with(file: Path) -> bool:
    """Whether a file lies in the folder of the baselines with which the windows are compared."""
    return file.parts[-4:-1] == ("dt=2025-03-12", "role=outbound", "time_band=wd_work")


def test_only_the_baselines_of_the_date_the_role_and_the_band_of_windows_are_read(
    tmp_path: Path,
) -> None:
    output = published(OTHERS, tmp_path)
    files = [*(tmp_path / BASELINE.name).rglob("*.parquet")]
    unread = [file for file in files if not is_compared_with(file)]
    engine = PolarsCorrelationEngine()

    spoil(unread)

    assert len(unread) == 4  # of two other dates, a role and a band
    rows = built(OTHERS, engine, output)
    assert exactly(rows) == exactly(sorted_as_read(OTHERS.build(), OTHERS.plan.table))


def test_a_file_that_can_not_be_read_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    output = published(OTHERS, tmp_path)
    engine = PolarsCorrelationEngine()

    spoil(filter(is_compared_with, (tmp_path / BASELINE.name).rglob("*.parquet")))

    with pytest.raises(NdrError, match=f"a published file of {tmp_path} can't be read"):
        output.build_correlations(engine, OTHERS.plan, OTHERS.dates)

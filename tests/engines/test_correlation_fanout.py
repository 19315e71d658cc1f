"""Correlations by tasks of Spark are those of Polars, however hosts are shared out."""

from __future__ import annotations

from random import Random
from typing import Final

import pytest

from ndr_adapters.polars.features.correlation_engine import PolarsCorrelationEngine
from ndr_adapters.spark.fanout.chain import ChainRunner
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.feature_engines import FanoutCorrelationEngine
from ndr_core.baselines.metrics import METRICS
from ndr_core.correlations.engine import CorrelationEngine
from ndr_core.correlations.formulas import EXFIL_METRIC
from tests.chains import RunnerHere
from tests.correlation_cases import ELEVENTH, TWELFTH, CorrelationCase
from tests.engines.baseline_outputs import BaselineOutput
from tests.engines.test_correlation_engines import built, in_shares, published
from tests.property.frames import exactly
from tests.property.test_correlations import HORIZONS, Draw
from tests.support import spark_session
from tests.window_cases import DAY, HOUR, QUARTER

NAMES: Final = tuple(metric.name for metric in METRICS if metric.name != EXFIL_METRIC)
DATES: Final = {QUARTER: TWELFTH, HOUR: TWELFTH, DAY: ELEVENTH}


@pytest.fixture(scope="module")
def case() -> CorrelationCase:
    """Windows of both roles and all labels, and baselines of two dates and several bands."""
    empty = CorrelationCase(
        "drawn", NAMES, (), (), (), {}, horizons=HORIZONS, dates=DATES, key_metrics=NAMES[:6]
    )
    rows = Draw(Random(17), empty.plan, DATES).rows()
    return CorrelationCase(
        "drawn",
        NAMES,
        [dict(row) for row in rows.windows],
        [dict(row) for row in rows.baseline],
        [dict(row) for row in rows.baseline_rows],
        {},
        horizons=HORIZONS,
        dates=DATES,
        key_metrics=NAMES[:6],
    )


@pytest.fixture(scope="module")
def output(case: CorrelationCase, tmp_path_factory: pytest.TempPathFactory) -> BaselineOutput:
    return published(case, tmp_path_factory.mktemp("published"))


def rows_by(engine: CorrelationEngine, case: CorrelationCase, output: BaselineOutput) -> list[str]:
    return exactly(built(case, engine, output))


@pytest.fixture(scope="module")
def by_polars(case: CorrelationCase, output: BaselineOutput) -> list[str]:
    return rows_by(PolarsCorrelationEngine(), case, output)


def by_tasks(runner: ChainRunner, shares: int) -> FanoutCorrelationEngine:
    return FanoutCorrelationEngine(runner, cut=in_shares(shares))


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_any_shares_of_the_hosts_give_what_polars_gives(
    shares: int, case: CorrelationCase, output: BaselineOutput, by_polars: list[str]
) -> None:
    found = rows_by(by_tasks(RunnerHere(seed=shares), shares), case, output)

    assert found == by_polars
    assert len(found) == len(case.windows) * len(HORIZONS) > 30


def test_tasks_of_spark_give_what_polars_gives(
    case: CorrelationCase, output: BaselineOutput, by_polars: list[str]
) -> None:
    found = rows_by(by_tasks(SparkRunner(spark_session()), 3), case, output)

    assert found == by_polars


def test_each_share_writes_a_file_of_its_own(case: CorrelationCase, output: BaselineOutput) -> None:
    files = output.build_correlations(by_tasks(RunnerHere(), 2), case.plan, case.dates)

    assert sum(files.values()) == len(case.windows) * len(HORIZONS)
    assert len(files) > 4, "of two roles, and of several dates and bands, by two shares each"

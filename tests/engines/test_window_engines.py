"""The engines of windows read what was published, and stage what the core's reference says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.reference.features import ReferenceWindowEngine
from ndr_adapters.spark.fanout.feature_engines import FanoutWindowEngine
from ndr_core.deltas.tables import PAIR
from ndr_core.features.days import date_of
from ndr_core.times import day_of
from ndr_core.windows.engine import WindowEngine, WindowInputs
from ndr_core.windows.tables import BEACON
from tests.chains import RunnerHere
from tests.engines.feature_outputs import FeatureOutputs, sorted_as_read
from tests.property.frames import exactly
from tests.unit.core.history.days import plan
from tests.window_cases import CASES, DELTA_PLAN, WindowCase, delta_tables

ENGINES = [
    pytest.param(ReferenceWindowEngine(), id="reference"),
    pytest.param(PolarsWindowEngine(), id="polars"),
    pytest.param(PolarsWindowEngine(rows_at_once=2), id="polars in shares"),
    pytest.param(FanoutWindowEngine(RunnerHere(), cut=lambda _rows, _cores: 3), id="kernels"),
]


def published(case: WindowCase, output: FeatureOutputs) -> WindowInputs:
    """Publish what a case is made of, as two batches: its records are those of one or of the other."""
    for number in range(2):
        tables = delta_tables(case.records[number::2])
        output.publish(f"mb-{number}", {DELTA_PLAN.delta: tables.deltas, PAIR: tables.pairs})
    base = case.history_source.base
    if base is not None:
        output.publish_history(case.history, plan(base, case.plan.networks))
    return WindowInputs(
        anchor=case.end,
        labels=(case.label,),
        coverage={case.label: case.slices},
        history={case.label: case.history_source},
        deltas=output.deltas,
        features=output.features,
        deltas_version="v1",
        history_version="v1",
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_windows_of_published_slices_are_those_of_the_records(
    engine: WindowEngine, case: WindowCase, tmp_path: Path
) -> None:
    output = FeatureOutputs(tmp_path)
    inputs = published(case, output)

    output.build_windows(engine, case.plan, inputs)

    expected = case.build()
    date = date_of(day_of(case.end))
    for table, rows in ((case.plan.fg_a, expected.fg_a), (BEACON, expected.beacons)):
        assert exactly(output.rows(table, date)) == exactly(sorted_as_read(rows, table))


@pytest.mark.parametrize("engine", ENGINES)
def test_deltas_of_another_version_are_not_read(engine: WindowEngine, tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    (case, *_) = CASES
    inputs = published(case, output)
    other = WindowInputs(
        inputs.anchor,
        inputs.labels,
        inputs.coverage,
        inputs.history,
        inputs.deltas,
        inputs.features,
        "v2",
        "v2",
    )

    assert output.build_windows(engine, case.plan, other) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_of_an_output_without_runs_no_rows_are_made(engine: WindowEngine, tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    (case, *_) = CASES
    source = case.history_source
    inputs = WindowInputs(
        case.end,
        (case.label,),
        {case.label: 0},
        {case.label: source},
        output.deltas,
        output.features,
        "v1",
        "v1",
    )

    assert output.build_windows(engine, case.plan, inputs) == {}

"""The engines of pair history read what was published, and stage what the core's reference says."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.reference.features import ReferenceHistoryEngine
from ndr_adapters.spark.fanout.feature_engines import FanoutHistoryEngine
from ndr_core.errors import NdrError, OverflowingColumnError
from ndr_core.history.engine import HistoryEngine, HistoryInputs
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.merge import Row
from tests.chains import RunnerHere
from tests.engines.feature_outputs import FeatureOutputs, history_as_read
from tests.unit.core.history.days import anew, pair, plan

ENGINES = [
    pytest.param(ReferenceHistoryEngine(), id="reference"),
    pytest.param(PolarsHistoryEngine(), id="polars"),
    pytest.param(PolarsHistoryEngine(rows_at_once=3), id="polars in shares"),
    pytest.param(FanoutHistoryEngine(RunnerHere(), cut=lambda _rows, _cores: 3), id="kernels"),
]
FIRST = 20_000
LAST = FIRST + 33


def days() -> dict[int, list[Row]]:
    """34 days: pairs of every day, of some days, of one day; a silent day; a pair in two slices of a day."""
    found = {
        day: [
            pair(day, bytes_sent=day, quarter=3),
            pair(day, bytes_sent=day, quarter=90),
            *([pair(day, "10.0.0.2", "192.0.2.200", port=None)] if day % 4 == 0 else []),
            *([pair(day, "10.0.0.3", role="inbound", port=22)] if day in (FIRST + 2, LAST) else []),
            *([pair(day, "198.51.100.9"), pair(day, role="transit")] if day % 5 == 0 else []),
        ]
        for day in range(FIRST, LAST + 1)
    }
    found[FIRST + 31] = []
    return found


def publish(output: FeatureOutputs, rows: dict[int, list[Row]]) -> None:
    """Publish pairs as two batches, of which each has some of the pairs of each day."""
    pairs = [row for of_day in rows.values() for row in of_day]
    for number in range(2):
        output.publish_pairs(f"batch-{number}", pairs[number::2])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> FeatureOutputs:
    """The pairs of all days, and the history of the first 30 of them."""
    output = FeatureOutputs(tmp_path_factory.mktemp("built"))
    publish(output, days())
    go_on(output, PolarsHistoryEngine(), FIRST, FIRST + 29)
    return output


def go_on(output: FeatureOutputs, engine: HistoryEngine, first: int, last: int) -> None:
    """Build days in order: each from the day before, the first from nothing."""
    for day in range(first, last + 1):
        former = output.features if day > first else None
        output.build_day(engine, plan(day), HistoryInputs(output.deltas, former, output.features))


def test_days_in_order_are_published_as_the_reference_says(built: FeatureOutputs) -> None:
    for day in (FIRST, FIRST + 1, FIRST + 13, FIRST + 29):
        assert built.tables(day) == history_as_read(anew(days(), day))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("leaving_from_slices", [(), (FIRST,)])
def test_a_day_that_goes_on_takes_the_leaving_day_out_by_its_tile_or_its_slices(
    engine: HistoryEngine,
    leaving_from_slices: tuple[int, ...],
    built: FeatureOutputs,
    tmp_path: Path,
) -> None:
    output = FeatureOutputs(tmp_path)
    inputs = HistoryInputs(built.deltas, built.features, built.features, leaving_from_slices)

    output.build_day(engine, plan(FIRST + 30), inputs)

    assert output.tables(FIRST + 30) == history_as_read(anew(days(), FIRST + 30))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first_tile", [FIRST + 4, FIRST + 20, FIRST + 30])
def test_a_day_made_anew_of_tiles_or_slices_is_the_same(
    engine: HistoryEngine, first_tile: int, built: FeatureOutputs, tmp_path: Path
) -> None:
    output = FeatureOutputs(tmp_path)
    from_slices = (*range(FIRST + 4, first_tile), *range(FIRST + 30, LAST))
    inputs = HistoryInputs(built.deltas, None, built.features, from_slices)

    output.build_day(engine, plan(LAST), inputs)

    assert output.tables(LAST) == history_as_read(anew(days(), LAST))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_that_is_built_again_after_a_late_batch_replaces_its_rows(
    engine: HistoryEngine, tmp_path: Path
) -> None:
    output = FeatureOutputs(tmp_path)
    rows = {day: days()[day] for day in (FIRST, FIRST + 1)}
    publish(output, rows)
    go_on(output, engine, FIRST, FIRST + 1)
    late = pair(FIRST, "10.0.0.9", port=3389)
    output.publish_pairs("late", [late])

    go_on(output, engine, FIRST, FIRST + 1)

    with_late = {**rows, FIRST: [*rows[FIRST], late]}
    for day in (FIRST, FIRST + 1):
        assert output.tables(day) == history_as_read(anew(with_late, day))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_without_any_sessions_has_no_files(engine: HistoryEngine, tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)

    files = output.build_day(engine, plan(FIRST), HistoryInputs(output.deltas))

    assert files == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_pairs_of_another_version_are_not_read(engine: HistoryEngine, tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    other = pair(FIRST, "10.0.0.7") | {"feature_spec_version": "v1"}
    output.publish_pairs("one", [other])
    of_other_deltas = plan(FIRST, version="v2")

    files = output.build_day(engine, of_other_deltas, HistoryInputs(output.deltas))

    assert files == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_sums_that_leave_int64_are_an_error(engine: HistoryEngine, tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    output.publish_pairs("one", [pair(FIRST, bytes_sent=INT64_MAX)])
    output.publish_pairs("two", [pair(FIRST, bytes_sent=1)])
    with pytest.raises(OverflowingColumnError, match=r"bytes_sent_sum: .* pair_tile of 2024-10-04"):
        output.build_day(engine, plan(FIRST), HistoryInputs(output.deltas))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_history_that_was_made_from_other_slices_is_not_gone_on_from(
    engine: HistoryEngine, built: FeatureOutputs, tmp_path: Path
) -> None:
    output = FeatureOutputs(tmp_path)
    output.publish_pairs("one", [pair(FIRST, port=80)])
    inputs = HistoryInputs(output.deltas, built.features, None, (FIRST,))

    with pytest.raises(NdrError, match="the history of 2024-11-02 was not made from the pair tile"):
        output.build_day(engine, plan(FIRST + 30), inputs)


def test_files_of_the_history_are_sorted_by_pair(tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    publish(output, days())
    files = output.build_day(PolarsHistoryEngine(), plan(FIRST), HistoryInputs(output.deltas))

    (path,) = (tmp_path / "out/features").glob("pair_history/*/*/role=outbound/*.parquet")
    rows = pl.read_parquet(path, hive_partitioning=False)

    assert rows.equals(rows.sort("host_ip", "peer_ip", "peer_port"))
    assert rows.columns == [column.name for column in PAIR_HISTORY.file_columns]
    assert sum(files.values()) > rows.height

"""Features by tasks of Spark are those of Polars, however hosts are shared out, and whether built online or later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from ndr_adapters.local.published import FolderTables
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.polars.published import read_table
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.feature_engines import (
    FanoutHistoryEngine,
    FanoutWindowEngine,
    cut_rows,
)
from ndr_adapters.spark.fanout.file_rows import spread
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.features.running import Chosen
from ndr_core.history.engine import HistoryEngine
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.manifest import OutputFile
from ndr_core.spec_kinds import expect, parse_spec
from ndr_core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, day_of, iso_text
from ndr_core.windows.engine import WindowEngine
from ndr_core.windows.job import FgARunner
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.tables import BEACON, FG_A
from tests.chains import RunnerHere
from tests.makers import flow, make_spec, started, us, write_batch
from tests.support import spark_session

MIDNIGHT: Final = us("2025-03-02T00:00:00Z")
DAYS: Final = tuple(MIDNIGHT - number * DAY_US for number in (3, 2, 1))
"""Days of deltas before the hours whose windows are built."""
LABELS: Final = {"w_1h": "1h", "w_24h": "1h"}
WINDOWS: Final = expect(
    parse_spec({"kind": "fg_a", "project_name": "test", "windows": {"labels": LABELS}}),
    FgASpec,
    "test",
)
HISTORY: Final = expect(
    parse_spec({"kind": "pair_history", "project_name": "test"}), PairHistorySpec, "test"
)
FEATURES: Final = (FG_A, BEACON.name, *(table.name for table in HISTORY_TABLES))


def sessions(first: int, hours: int) -> list[dict[str, Any]]:
    """Sessions of some hosts from a moment on, us: beacons to a peer of several hosts, and peers that change."""
    return [
        flow(
            source_ip=f"10.0.0.{host}",
            destination_ip="198.51.100.9" if number % 2 else f"10.0.{host}.{start // HOUR_US % 9}",
            destination_port=443 if number % 2 else (22, 445, None)[number // 2 % 3],
            source_bytes=100 * host + number,
            event_start=iso_text(start),
            event_end=iso_text(start + host * SECOND_US),
        )
        for host in range(1, 8)
        for number, start in enumerate(range(first, first + hours * HOUR_US, host * 10 * MINUTE_US))
    ]


@frozen
class Engines:
    """What builds features."""

    history: HistoryEngine
    windows: WindowEngine


POLARS: Final = Engines(PolarsHistoryEngine(), PolarsWindowEngine())


def kernels(shares: int, seed: int = 0) -> Engines:
    """The kernels in this process, on so many shares."""

    def cut(_rows: int, _cores: int) -> int:
        return shares

    runner = RunnerHere(seed=seed)
    return Engines(FanoutHistoryEngine(runner, cut=cut), FanoutWindowEngine(runner, cut=cut))


def on_spark() -> Engines:
    def cut(_rows: int, _cores: int) -> int:
        return 2

    runner = SparkRunner(spark_session())
    return Engines(FanoutHistoryEngine(runner, cut=cut), FanoutWindowEngine(runner, cut=cut))


@frozen
class Place:
    """An output of deltas, and one of features."""

    deltas: Path
    features: Path

    def publish(self, name: str, first: int, records: list[dict[str, Any]], span: int) -> None:
        """Publish the deltas of a mini-batch."""
        batch = write_batch(self.deltas.parent / f"{name}-logs", [records])
        DeltaBuilderRunner(
            spec=make_spec(),
            params=RuntimeParams(name, "run", first, first + span),
            source=FolderSource(batch),
            start_engine=started(PolarsEngine()),
            sink=FolderSink(self.deltas),
            log=QuietLog(),
        ).run()

    def publish_hour(self, number: int) -> None:
        """Publish an hour by two mini-batches, which both have sessions of all its slices."""
        first = MIDNIGHT + number * HOUR_US
        records = sessions(first, 1)
        for part in range(2):
            self.publish(f"hour-{number}-{part}", first, records[part::2], HOUR_US)

    def build_day(self, engine: HistoryEngine, first: int) -> None:
        HistoryRunner(
            spec=HISTORY,
            day=day_of(first),
            start_engine=lambda _: Chosen(engine),
            **self._ports(),
        ).run()

    def build_windows(self, engine: WindowEngine, hour: int, partial: bool = False) -> None:
        """Build the windows that end as an hour ends."""
        FgARunner(
            spec=WINDOWS,
            anchor=MIDNIGHT + (hour + 1) * HOUR_US,
            allows_missing=partial,
            start_engine=lambda _: Chosen(engine),
            **self._ports(),
        ).run()

    def backfill(self, engines: Engines, days: Sequence[int] = DAYS) -> None:
        """Build the history of days, and the windows of both hours."""
        for first in days:
            self.build_day(engines.history, first)
        for hour in range(2):
            self.build_windows(engines.windows, hour, partial=days != DAYS)

    def rows(self) -> dict[str, list[str]]:
        """The rows of each table of features, as texts, without the time of their publication."""
        return {table: texts_of(FolderTables(self.features), table) for table in FEATURES}

    def _ports(self) -> dict[str, Any]:
        return {
            "run_id": "run",
            "deltas": FolderTables(self.deltas),
            "features": FolderTables(self.features),
            "sink": FolderSink(self.features),
            "log": QuietLog(),
        }


def texts_of(features: FolderTables, table: str) -> list[str]:
    found = read_table(features, table).select(pl.exclude("published_at")).collect()
    return sorted(json.dumps(row, default=str) for row in found.to_dicts())


@pytest.fixture(scope="module")
def of_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deltas of three days."""
    place = Place(tmp_path_factory.mktemp("days") / "out", Path())
    for first in DAYS:
        place.publish(f"day-{first}", first, sessions(first, 24), DAY_US)
    return place.deltas


@pytest.fixture(scope="module")
def deltas(of_days: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deltas of three days and two hours."""
    folder = tmp_path_factory.mktemp("deltas")
    place = Place(shutil.copytree(of_days, folder / "out"), Path())
    for hour in range(2):
        place.publish_hour(hour)
    return place.deltas


@pytest.fixture(scope="module")
def by_polars(deltas: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Rows of features that Polars builds, by the days of which there is a history."""
    known: dict[Sequence[int], dict[str, list[str]]] = {}

    def rows(days: Sequence[int] = DAYS) -> dict[str, list[str]]:
        if days not in known:
            place = Place(deltas, tmp_path_factory.mktemp("polars") / "features")
            place.backfill(POLARS, days)
            known[days] = place.rows()
        return known[days]

    return rows


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_kernels_on_any_shares_build_what_polars_builds(
    shares: int, deltas: Path, by_polars: Callable[..., Any], tmp_path: Path
) -> None:
    place = Place(deltas, tmp_path / "features")

    place.backfill(kernels(shares, seed=shares))

    found = place.rows()
    assert found == by_polars()
    assert all(found[table] for table in found), "no table is without rows"


def test_prevalence_is_counted_of_all_hosts_by_history_and_by_slices(
    deltas: Path, by_polars: Callable[..., Any], tmp_path: Path
) -> None:
    days = DAYS[:1]  # there is no history yet of the day before the windows start
    place = Place(deltas, tmp_path / "features")

    place.backfill(kernels(3), days)

    beacons = [json.loads(row) for row in place.rows()[BEACON.name]]
    assert {row["prevalence_hosts"] for row in beacons} == {7}
    assert place.rows() == by_polars(days)


def test_a_backfill_on_spark_builds_what_runs_one_by_one_and_polars_build(
    of_days: Path, deltas: Path, by_polars: Callable[..., Any], tmp_path: Path
) -> None:
    engines = on_spark()
    online = Place(shutil.copytree(of_days, tmp_path / "online" / "out"), tmp_path / "features")
    backfilled = Place(deltas, tmp_path / "backfilled")

    for first in DAYS:
        online.build_day(engines.history, first)
    for hour in range(2):
        online.publish_hour(hour)
        online.build_windows(engines.windows, hour)
    backfilled.backfill(engines)

    assert online.rows() == backfilled.rows() == by_polars()


def test_files_of_a_share_are_sorted_as_those_of_polars(deltas: Path, tmp_path: Path) -> None:
    place = Place(deltas, tmp_path / "features")
    place.backfill(kernels(2))

    files = list(place.features.glob("fg_a/**/role=outbound/*.parquet"))

    assert len(files) == 2 * 2, "of two hours, by two shares"
    for file in files:
        rows = pl.read_parquet(file, hive_partitioning=False)
        assert rows.equals(rows.sort("host_ip", "window_label"))


def test_few_rows_are_one_share_and_many_are_at_most_a_million_each() -> None:
    assert cut_rows(0, cores=8) == cut_rows(100_000, cores=8) == 1
    assert cut_rows(2_000_000, cores=8) == 8
    assert cut_rows(100_000_000, cores=8) == 96


def files_of(*rows: int) -> list[tuple[str, OutputFile]]:
    path = "pair/feature_spec_version=v1/role=outbound"
    return [
        ("pairs", OutputFile(f"{path}/{number}.parquet", count, 0, ""))
        for number, count in enumerate(rows)
    ]


@given(st.lists(st.integers(0, 3 << 20), max_size=20), st.integers(1, 16))
def test_each_row_of_files_is_read_by_one_task(rows: list[int], cores: int) -> None:
    tasks = spread(files_of(*rows), cores)

    read = sorted(
        (one.file.path, one.first, one.first + one.count) for task in tasks for one in task
    )
    ends: dict[str, int] = {}
    for path, first, end in read:
        assert ends.get(path, 0) == first < end
        ends[path] = end
    assert ends == {file.path: file.rows for _, file in files_of(*rows) if file.rows}


def test_a_large_file_is_read_by_all_cores_and_many_small_ones_by_few_tasks() -> None:
    large = spread(files_of(800_000), cores=4)
    small = spread(files_of(*[100] * 1000), cores=4)

    assert [sum(one.count for one in task) for task in large] == [100_000] * 8
    assert len(small) == 4

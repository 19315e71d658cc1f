"""Summaries and baselines by tasks of Spark are those of Polars, however hosts are shared out and files are cut."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import pytest
from attrs import evolve, frozen

from ndr_adapters.polars.features.baseline_engine import PolarsBaselineEngine
from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.features.summary_engine import PolarsSummaryEngine
from ndr_adapters.spark.fanout.chain import ChainRunner
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.feature_engines import FanoutBaselineEngine, FanoutSummaryEngine
from ndr_adapters.spark.fanout.file_rows import FileRows, read_folders
from ndr_core.baselines.engine import BaselineEngine, SummaryEngine
from ndr_core.baselines.reference import baseline_tables
from ndr_core.baselines.tables import BASELINE_TABLES, SUMMARY, SUMMARY_TABLES
from ndr_core.features.days import date_of
from tests.baseline_cases import DATE, BaselineCase, SummaryCase, tables_of
from tests.chains import RunnerHere
from tests.engines.baseline_outputs import BaselineOutput
from tests.property.frames import exactly
from tests.property.test_baselines import HORIZONS, NAMES, Days, Draw
from tests.support import spark_session

Built = dict[str, list[str]]


@frozen
class Engines:
    """What builds summaries and baselines."""

    summaries: SummaryEngine
    baselines: BaselineEngine


POLARS: Final = Engines(PolarsSummaryEngine(), PolarsBaselineEngine())


def by_tasks(runner: ChainRunner, shares: int) -> Engines:
    def cut(_rows: int, _cores: int) -> int:
        return shares

    return Engines(FanoutSummaryEngine(runner, cut=cut), FanoutBaselineEngine(runner, cut=cut))


@frozen
class Sample:
    """Windows of a date, with the baselines by which they are judged, and summaries of many dates."""

    summary: SummaryCase
    baselines: BaselineCase

    @classmethod
    def of(cls, seed: int) -> Sample:
        """Draw them: the same seed, the same ones."""
        draw = Draw(Random(seed))
        days = Days.of(draw, DATE)
        windows = [row for _ in range(8) for row in draw.windows(DATE)]
        keys = ("window_end_ts", "role", "host_ip", "window_label")
        each_once = {tuple(row[key] for key in keys): row for row in windows}.values()
        in_period = {row["window_end_ts"] for row in windows if draw.random.random() < 0.1}
        judge = tables_of(baseline_tables(days.plan(DATE), days.anew(DATE)))
        return cls(
            SummaryCase(
                "drawn",
                date_of(DATE),
                [row for row in each_once if row["window_end_ts"] not in in_period],
                [row for row in each_once if row["window_end_ts"] in in_period],
                judge,
                NAMES,
                draw.random.sample(NAMES, 8),
            ),
            BaselineCase(
                "drawn",
                days.summaries,
                days.windows,
                horizons=HORIZONS,
                metrics=NAMES,
                fleeting=days.fleeting,
            ),
        )

    def publish(self, folder: Path) -> None:
        """Publish the windows, and what judges them, to one output and the summaries to another one."""
        of_windows, of_days = BaselineOutput(folder / "windows"), BaselineOutput(folder / "days")
        of_windows.publish_windows([*self.summary.included, *self.summary.excluded])
        of_windows.publish_baselines(DATE, self.summary.judge)
        of_days.publish_summaries(self.baselines.summaries)

    def build(self, engines: Engines, folder: Path) -> tuple[Built, Built, Built]:
        """Build a summary, the baselines of all dates, and those that go on from the date before."""
        case = self.baselines
        of_windows, of_days = BaselineOutput(folder / "windows"), BaselineOutput(folder / "days")
        of_windows.build_summary(engines.summaries, self.summary)
        summary = {table.name: exactly(of_windows.rows(table, DATE)) for table in SUMMARY_TABLES}

        of_days.build_baselines(engines.baselines, case.plan, of_days.anew(case))
        anew = built(of_days)
        before = case.the_day_before
        of_days.build_baselines(engines.baselines, before.plan, of_days.anew(before))
        of_days.build_baselines(engines.baselines, case.plan, of_days.gone_on(case))
        return summary, anew, built(of_days)


def built(output: BaselineOutput) -> Built:
    return {table.name: exactly(output.rows(table, DATE)) for table in BASELINE_TABLES}


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample.of(17)


@pytest.fixture(scope="module")
def published(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    sample.publish(folder)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """What is published, for one test."""
    return shutil.copytree(published, tmp_path / "outputs")


@pytest.fixture(scope="module")
def by_polars(
    sample: Sample, published: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Built, Built, Built]:
    copy = shutil.copytree(published, tmp_path_factory.mktemp("polars") / "outputs")
    return sample.build(POLARS, copy)


def test_the_sample_meets_all_kernels(by_polars: tuple[Built, Built, Built]) -> None:
    summary, anew, gone_on = by_polars

    assert len(summary["summary"]) > 500
    assert len(anew["baseline"]) > 500
    assert anew == gone_on
    for scope in ("host", "segment", "network"):
        assert any(f"'{scope}'" in row for row in anew["baseline"]), scope


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_kernels_on_any_shares_build_what_polars_builds(
    shares: int, sample: Sample, by_polars: tuple[Built, Built, Built], folder: Path
) -> None:
    found = sample.build(by_tasks(RunnerHere(seed=shares), shares), folder)

    assert found == by_polars


def test_tasks_of_spark_build_what_polars_builds(
    sample: Sample, by_polars: tuple[Built, Built, Built], folder: Path
) -> None:
    found = sample.build(by_tasks(SparkRunner(spark_session()), 2), folder)

    assert found == by_polars


def test_windows_without_any_rows_make_empty_tables(sample: Sample, tmp_path: Path) -> None:
    none = evolve(sample.summary, included=(), excluded=())
    output = BaselineOutput(tmp_path)
    output.publish_baselines(DATE, none.judge)

    files = output.build_summary(by_tasks(RunnerHere(), 2).summaries, none)

    assert files == {}


def test_pieces_of_a_file_are_its_rows(published: Path) -> None:
    output = BaselineOutput(published / "days")
    source = FolderRows.of_table(output.pinned("summary-"), SUMMARY)
    columns = ("host_ip", "role", "time_band", "dt", "metric", "included")
    largest = max(source.files, key=lambda file: file.rows)
    cuts = [0, 1, largest.rows // 2, largest.rows]
    pieces = tuple(
        FileRows("summary", largest, first, end - first) for first, end in pairwise(cuts)
    )

    found = [part.frame(columns).collect() for _, part in read_folders(pieces, {"summary": source})]

    whole = evolve(source, files=(largest,)).frame(columns).collect()
    assert [part.height for part in found] == [piece.count for piece in pieces]
    assert found[0].vstack(found[1]).vstack(found[2]).equals(whole)

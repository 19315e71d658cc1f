"""Readers of baselines and correlations: published rows with their record ids."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.local.published import FolderTables
from ndr_adapters.polars.features.correlation_engine import PolarsCorrelationEngine
from ndr_adapters.polars.features.readers import read_baseline_rows, read_baselines, read_fg_c
from ndr_core.baselines.rows import BaselineTables
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.correlations.tables import fg_c_table
from tests.correlation_cases import EVERY_COLUMN, TWELFTH
from tests.engines.baseline_outputs import BaselineOutput

NOON = datetime(2025, 3, 12, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> FolderTables:
    """A window that ends at 11:00, its baselines, and how it compares with them."""
    root = tmp_path_factory.mktemp("features")
    output = BaselineOutput(root)
    case = EVERY_COLUMN
    output.publish_windows(case.windows)
    output.publish_baselines(TWELFTH.date, BaselineTables(case.baseline, case.baseline_rows))
    output.build_correlations(PolarsCorrelationEngine(), case.plan, case.dates)
    return FolderTables(root)


def test_correlations_have_the_id_of_host_role_label_end_and_horizon(
    features: FolderTables,
) -> None:
    rows = read_fg_c(features).collect()

    assert rows.get_column("record_id").to_list() == [
        "10.0.0.1|outbound|w_1h|2025-03-12T11:00:00Z|7d"
    ]
    table = EVERY_COLUMN.plan.table
    assert rows.columns == [*(column.name for column in table.columns), "record_id"]


def test_correlations_are_chosen_by_the_end_of_their_windows(features: FolderTables) -> None:
    assert read_fg_c(features, until=NOON).collect().height == 1
    assert read_fg_c(features, since=NOON).collect().is_empty()


def test_baselines_have_the_id_of_all_their_keys(features: FolderTables) -> None:
    place, end = "host|10.0.0.1|outbound|wd_work|w_1h", "7d|2025-03-12"

    metrics, made_of = read_baselines(features).collect(), read_baseline_rows(features).collect()

    assert sorted(metrics.get_column("record_id")) == sorted(
        f"{place}|{row['metric']}|{end}" for row in EVERY_COLUMN.baseline
    )
    assert made_of.get_column("record_id").to_list() == [f"{place}|{end}"]
    assert metrics.columns == [*(column.name for column in BASELINE.columns), "record_id"]
    assert made_of.columns == [*(column.name for column in BASELINE_ROWS.columns), "record_id"]


def test_a_sum_without_a_row_has_so_many_zeros_as_there_are_samples(
    features: FolderTables,
) -> None:
    metrics, made_of = read_baselines(features).collect(), read_baseline_rows(features).collect()

    silent = metrics.filter(pl.col("metric") == "high_risk_sessions_cnt")

    assert silent.is_empty()
    assert made_of.get_column("samples_cnt").to_list() == [40]


def test_baselines_are_chosen_by_their_date(features: FolderTables) -> None:
    assert read_baselines(features, until=NOON).collect().height == len(EVERY_COLUMN.baseline)
    assert read_baseline_rows(features, since=NOON).collect().is_empty()


def test_an_output_without_features_has_no_rows_but_columns(tmp_path: Path) -> None:
    output = FolderTables(tmp_path)

    for rows, table in (
        (read_fg_c(output), fg_c_table(())),
        (read_baselines(output), BASELINE),
        (read_baseline_rows(output), BASELINE_ROWS),
    ):
        found = rows.collect()
        assert found.is_empty()
        assert found.columns == [*(column.name for column in table.columns), "record_id"]

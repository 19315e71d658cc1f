"""The table of correlations."""

from __future__ import annotations

from ndr_core.baselines.metrics import METRICS, metrics_named
from ndr_core.correlations.tables import fg_c_table, metric_columns
from ndr_core.tables.columns import ColumnType
from ndr_core.windows.tables import LEVELS


def test_the_columns_of_a_metric_say_how_they_are_made() -> None:
    (bytes_sent,) = metrics_named(["bytes_sent_sum"])

    columns = {column.name: column for column in metric_columns(bytes_sent)}

    assert list(columns) == [
        f"bytes_sent_sum_{ending}"
        for ending in ("z", "upper_z", "tail_bits", "ratio", "log2_ratio", "excess_p99", "scope")
    ]
    assert columns["bytes_sent_sum_z"].meaning.startswith("bytes_sent_sum: (x - median) / scale")
    assert columns["bytes_sent_sum_excess_p99"].type is ColumnType.INT64
    assert columns["bytes_sent_sum_scope"].type is ColumnType.STRING


def test_what_a_scan_mutes_says_so() -> None:
    for metric in METRICS:
        z = metric_columns(metric)[0]
        assert ("scan_score" in z.meaning.split(": ", 1)[1]) == (
            metric.name in ("new_port_cnt", "new_pair_cnt")
        )


def test_names_of_all_metrics_are_distinct_and_fit_a_feature_store() -> None:
    table = fg_c_table(METRICS)

    assert len({column.name for column in table.columns}) == len(table.columns)
    assert max(len(column.name) for column in table.columns) <= 64


def test_rows_lie_in_the_folders_of_windows() -> None:
    assert fg_c_table(()).levels == LEVELS

"""What the rows of correlations hold, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.readout import read_off
from ndr_core.baselines.samples import with_zeros
from ndr_core.baselines.tables import BASELINE_ROWS
from ndr_core.correlations.ladder import READ_OFF
from ndr_core.tables.columns import add_histograms
from ndr_core.tables.merge import Row
from tests.correlation_cases import (
    CASES,
    EVERY_COLUMN,
    LABELS_AND_ROLES,
    LADDER,
    CorrelationCase,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_hold_what_was_worked_out_by_hand(case: CorrelationCase) -> None:
    rows = case.build()

    assert case.differences(rows) == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_baselines_of_the_cases_are_read_off_their_cells(case: CorrelationCase) -> None:
    made_of = {key_of(row): row for row in case.baseline_rows}

    for row in case.baseline:
        (metric,) = metrics_named([row["metric"]])
        rows = made_of[key_of(row)]
        cells = [row["included"], *([row["excluded"]] if rows["baseline_shift_flag"] else [])]
        whole = with_zeros(metric.absent, add_histograms(cells), rows["samples_cnt"])
        found = read_off(whole)
        assert {name: getattr(found, name) for name in READ_OFF} == {
            name: row[name] for name in READ_OFF
        }, row


def key_of(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in BASELINE_ROWS.keys)


def test_every_column_has_a_value_worked_out_by_hand() -> None:
    (row,) = EVERY_COLUMN.build()

    assert set(row) == set(EVERY_COLUMN.fg_c["10.0.0.1", "7d"])
    assert list(row) == [column.name for column in EVERY_COLUMN.plan.table.columns]


def test_rows_are_sorted_by_role_host_label_and_horizon() -> None:
    found = [(row["role"], row["host_ip"]) for row in LABELS_AND_ROLES.build()]

    assert found == [("inbound", "10.0.0.3"), ("outbound", "10.0.0.1"), ("outbound", "10.0.0.2")]


def test_each_window_has_a_row_for_each_horizon() -> None:
    rows = LADDER.build()

    hosts = [row["host_ip"] for row in LADDER.windows]
    assert [(row["host_ip"], row["horizon"]) for row in rows] == [
        (host, horizon) for host in hosts for horizon in ("30d", "7d")
    ]

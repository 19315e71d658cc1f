"""What the rows of correlations hold, by examples that can be worked out by hand."""

from __future__ import annotations

import pytest

from ndr_core.baselines.metrics import UNKNOWN, Absent, metrics_named
from ndr_core.baselines.readout import read_off
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
    shifted = {key_of(row): row["baseline_shift_flag"] for row in case.baseline_rows}

    for row in case.baseline:
        cells = [row["included"], *([row["excluded"]] if shifted.get(key_of(row)) else [])]
        found = read_off(whole(row, add_histograms(cells)))
        assert {name: getattr(found, name) for name in READ_OFF} == {
            name: row[name] for name in READ_OFF
        }, row


def key_of(row: Row) -> tuple[object, ...]:
    return row["name"], row["horizon"]


def whole(row: Row, cells: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The cells that a baseline is read off, with bucket 0, and without unknown values."""
    known = [cell for cell in cells if cell[0] != UNKNOWN]
    (metric,) = metrics_named([row["metric"]])
    zeros = row["n"] - sum(count for _, count in known)
    return (*([(0, zeros)] if metric.absent is Absent.ZERO and zeros else []), *known)


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

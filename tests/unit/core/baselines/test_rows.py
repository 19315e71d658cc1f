"""Whose windows are counted together."""

from __future__ import annotations

from ndr_core.baselines.rows import BaselineTables, HostKey, SummaryRows
from tests.baseline_cases import EVERY_COLUMN, HOST, window


def test_a_key_is_read_off_windows_and_off_baselines_alike() -> None:
    key = HostKey("outbound", "wd_work", HOST, "w_1h")

    of_host = next(iter(EVERY_COLUMN.baseline_rows.values()))

    assert HostKey.of(window("2025-03-03T11:00")) == key
    assert HostKey.of_baseline(of_host) == key
    assert HostKey.of(key.columns()) == key


def test_without_baselines_there_is_nothing_to_judge_by() -> None:
    assert SummaryRows([]).judge == BaselineTables((), ())

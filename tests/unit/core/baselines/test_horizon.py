"""How far baselines go back."""

from __future__ import annotations

from ndr_core.baselines.horizon import DEFAULT_GAPS, Horizon
from ndr_core.features.days import date_of, day_of_date

DATE = day_of_date("2025-03-10")


def test_a_horizon_of_seven_dates_ends_two_days_before_the_date() -> None:
    horizon = Horizon(7, DEFAULT_GAPS[7])

    dates = horizon.dates(DATE)

    assert horizon.name == "7d"
    assert (len(dates), date_of(dates[0]), date_of(dates[-1])) == (7, "2025-03-01", "2025-03-07")


def test_a_horizon_of_thirty_dates_ends_seven_days_before_the_date() -> None:
    horizon = Horizon(30, DEFAULT_GAPS[30])

    dates = horizon.dates(DATE)

    assert horizon.name == "30d"
    assert (len(dates), date_of(dates[0]), date_of(dates[-1])) == (30, "2025-02-01", "2025-03-02")


def test_the_date_of_a_baseline_is_known_by_its_dates() -> None:
    for horizon in (Horizon(7, 2), Horizon(30, 7), Horizon(7, 0)):
        assert horizon.date(horizon.dates(DATE)) == DATE

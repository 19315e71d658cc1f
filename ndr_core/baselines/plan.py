"""The plans of a summary and of a baseline: all that an engine needs to know of them beside what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from ndr_core.baselines.horizon import Horizon
from ndr_core.baselines.metrics import Metric, metrics_named
from ndr_core.errors import NdrError, printable
from ndr_core.features.days import date_of
from ndr_core.features.networks import Networks
from ndr_core.windows.labels import WindowLabel

OUTLIER_Z: Final = 8.0
"""A window with a larger z in a key metric stands out, and is no part of what is usual."""
SHIFT_RATIO: Final = 5
"""Where excluded rows times this are more than all rows, the regime has changed: all rows are used."""

BandLabel = tuple[str, str]
"""time_band and window_label."""


@frozen
class SummaryPlan:
    """What a summary of a local date is to count."""

    date: int
    """Local date, days since 1970-01-01."""
    labels: tuple[WindowLabel, ...]
    """All windows of the job."""
    metrics: tuple[Metric, ...]
    key_metrics: tuple[str, ...]
    """Names of those by which windows are judged."""
    feature_spec_version: str
    published_at: int
    """us."""

    @property
    def judging(self) -> tuple[Metric, ...]:
        """The key metrics."""
        return metrics_named(self.key_metrics)

    def constants(self) -> dict[str, object]:
        """Give the columns that are the same in all rows, but for role and band; times in us."""
        return {
            "published_at": self.published_at,
            "feature_spec_version": self.feature_spec_version,
            "dt": date_of(self.date),
        }


@frozen
class HorizonPlan:
    """One horizon of a baseline."""

    horizon: Horizon
    dates: range
    """Its local dates."""
    windows: Mapping[int, Mapping[BandLabel, int]]
    """Local date -> band and label -> windows of which all slices were published. Dates without any may be absent."""
    band_dates: Mapping[str, int]
    """Band -> how many dates of the horizon have it."""
    start: int
    """Start of the first local date, us."""
    end: int
    """End of the last, us."""

    def date_bit(self, date: int) -> int:
        """Give the bit of `dates_mask` that a local date of the horizon has: the last date has the lowest."""
        return 1 << (self.dates[-1] - date)

    def first_date(self, mask: int) -> int:
        """Give the first local date of a `dates_mask` above 0."""
        return self.dates[-1] - (mask.bit_length() - 1)

    def windows_since(self, first: int) -> dict[BandLabel, int]:
        """Count the windows of each band and label from a local date on."""
        found: dict[BandLabel, int] = {}
        for date in self.dates:
            if date >= first:
                for key, count in self.windows.get(date, {}).items():
                    found[key] = found.get(key, 0) + count
        return found

    def support_since(self, first: int) -> dict[BandLabel, int]:
        """Count the local dates with such windows from a local date on, likewise."""
        found: dict[BandLabel, int] = {}
        for date in self.dates:
            if date >= first:
                for key, count in self.windows.get(date, {}).items():
                    found[key] = found.get(key, 0) + (count > 0)
        return found

    def least_support(self, band: str) -> int:
        """Give the support_days below which a baseline of a band is cold: half of its dates, rounded up."""
        return (self.band_dates.get(band, 0) + 1) // 2

    def misfit(self, scope: str, name: str) -> NdrError:
        """Make the error that the baselines of the date before do not fit the summary of the date that has left.

        `scope`, `name`: whose baselines these are.
        """
        former = date_of(self.horizon.date(self.dates) - 1)
        left = date_of(self.dates[0] - 1)
        return NdrError(
            f"baseline: the {self.horizon.name} baselines of {former} were not made from the summary of {left} as it "
            f"is now ({scope} {printable(name)}); build the baselines of {former} again"
        )

    def too_many(self, host: str) -> NdrError:
        """Make the error that a host has more windows than were summed up."""
        return NdrError(
            f"summary_rows: host {printable(host)} has more windows in the summaries of {date_of(self.dates[0])} to "
            f"{date_of(self.dates[-1])} than their manifests say were summed up; build these summaries again"
        )


@frozen
class BaselinePlan:
    """What the baselines of a date are."""

    date: int
    """T: the local date on which windows begin that are compared with them; days since 1970-01-01."""
    labels: tuple[WindowLabel, ...]
    metrics: tuple[Metric, ...]
    horizons: tuple[HorizonPlan, ...]
    networks: Networks
    feature_spec_version: str
    published_at: int
    """us."""
    fleeting: frozenset[str] = field(default=frozenset())
    """Addresses of hosts whose names do not last: their baselines are cold."""

    def constants(self) -> dict[str, object]:
        """Give the columns that are the same in all rows, but for role and band; times in us."""
        return {
            "published_at": self.published_at,
            "feature_spec_version": self.feature_spec_version,
            "dt": date_of(self.date),
        }

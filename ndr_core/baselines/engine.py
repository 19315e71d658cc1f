"""The ports of engines that sum up windows, and that make baselines of summaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from attrs import frozen

from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.windows.labels import WindowLabel


@frozen
class SummaryInputs:
    """What the summary of a local date is made of."""

    windows: PinnedTables
    """The runs of windows that are summed up: table `fg_a`."""
    ends: Mapping[int, tuple[WindowLabel, ...]]
    """End of windows, us -> those that are summed up: all their slices were published, and they lie in no excluded
    period."""
    excluded_ends: Mapping[int, tuple[WindowLabel, ...]]
    """The same of windows in excluded periods: their rows are counted as excluded."""
    baselines: PinnedTables | None
    """The run of the baselines of this date, by which windows are judged; None: there is nothing to judge by."""


class SummaryEngine(Protocol):
    """Sums up the windows of a local date."""

    name: ClassVar[str]
    """Name by which a user chooses the engine."""

    def build(
        self, plan: SummaryPlan, inputs: SummaryInputs, staging_root: str
    ) -> Mapping[str, int]:
        """Write `summary` and `summary_rows` below `staging_root`. Gives each staged file with its rows.

        Raises NdrError where published tables can't be read, OverflowingColumnError where a value leaves int64.
        """
        ...


@frozen
class HorizonInputs:
    """What the hosts' part of one horizon is made of: counts that add and subtract."""

    former: PinnedTables | None
    """The run of the baselines of the date before, to go on from; None: all dates are added up."""
    added: tuple[int, ...]
    """Local dates whose summaries are added."""
    removed: tuple[int, ...]
    """Local dates whose summaries are taken away again."""


@frozen
class BaselineInputs:
    """What the baselines of a date are made of."""

    summaries: PinnedTables
    """The runs of the summaries that are read."""
    horizons: tuple[HorizonInputs, ...]
    """Of each horizon of the plan, in its order."""


class BaselineEngine(Protocol):
    """Makes baselines of summaries."""

    name: ClassVar[str]
    """Name by which a user chooses the engine."""

    def build(
        self, plan: BaselinePlan, inputs: BaselineInputs, staging_root: str
    ) -> Mapping[str, int]:
        """Write `baseline` and `baseline_rows` below `staging_root`. Gives each staged file with its rows.

        Raises as `SummaryEngine.build`.
        """
        ...

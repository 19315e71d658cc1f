"""The port of engines that compare windows with baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from attrs import frozen

from ndr_core.correlations.plan import BaselineDates, CorrelationPlan
from ndr_core.publishing.pinned import PinnedTables


@frozen
class CorrelationInputs:
    """What the correlations of an anchor are made of."""

    windows: PinnedTables
    """The run of the windows: table `fg_a`."""
    baselines: PinnedTables
    """The runs of the baselines that are read: tables `baseline` and `baseline_rows`."""
    dates: BaselineDates
    """Window -> the baseline that it is compared with. One without a run among `baselines` is empty, if it is known."""


class CorrelationEngine(Protocol):
    """Compares the windows of one anchor with baselines."""

    name: ClassVar[str]
    """Name by which a user chooses the engine."""

    def build(
        self, plan: CorrelationPlan, inputs: CorrelationInputs, staging_root: str
    ) -> Mapping[str, int]:
        """Write `fg_c` below `staging_root`. Gives each staged file with its rows.

        Raises NdrError where published tables can't be read.
        """
        ...

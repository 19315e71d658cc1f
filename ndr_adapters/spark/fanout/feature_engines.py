"""The Spark engines of features: chains of Polars kernels, spread over the cores of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from attrs import field, frozen

from ndr_adapters.polars.features.baseline_files import BaselineFiles
from ndr_adapters.polars.features.baseline_frames import HorizonDates
from ndr_adapters.polars.features.correlation_files import CorrelationFiles
from ndr_adapters.polars.features.history_files import day_files
from ndr_adapters.polars.features.summary_files import SummaryFiles
from ndr_adapters.polars.features.summary_kernel import SummaryEnds
from ndr_adapters.polars.features.window_files import window_files
from ndr_adapters.polars.features.window_kernel import Anchor
from ndr_adapters.polars.write import StagingRoot
from ndr_adapters.spark.fanout.baselines import baseline_chain
from ndr_adapters.spark.fanout.chain import Chain, ChainRunner
from ndr_adapters.spark.fanout.correlations import correlation_chain
from ndr_adapters.spark.fanout.history import history_chain
from ndr_adapters.spark.fanout.staged import files_of
from ndr_adapters.spark.fanout.summaries import summary_chain
from ndr_adapters.spark.fanout.windows import window_chain
from ndr_core.baselines.engine import BaselineInputs, SummaryInputs
from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.correlations.engine import CorrelationInputs
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.features.networks import Hosts
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.plan import HistoryPlan
from ndr_core.progress import Meter
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.plan import ROLE_NAMES, WindowPlan

_LEAST_BUILT: Final = 1 << 17
_MOST_BUILT: Final = 1 << 20
"""Rows of pairs and of their history of which one task builds features: a Python worker has memory for them."""


def cut_rows(rows: int, cores: int) -> int:
    """Cut so many rows into shares for some cores: few where rows are few, as each share makes files of its own."""
    return max(1, min(rows // _LEAST_BUILT, cores), -(-rows // _MOST_BUILT))


@frozen
class _FanoutEngine:
    """What all of them have: each builds by a chain of Polars kernels, in tasks.

    `storage_options`: how Polars reaches S3, where the output lies there.
    """

    name: ClassVar[str] = "spark"
    runner: ChainRunner
    storage_options: dict[str, Any] = field(factory=dict)
    cut: Callable[[int, int], int] = cut_rows
    """Cuts rows into shares for some cores. How they are cut never changes what is built."""

    def _staging(self, root: str) -> StagingRoot:
        return StagingRoot(root, self.storage_options)

    def _shares(self, rows: int) -> int:
        return self.cut(rows, self.runner.cores)

    def _staged(self, chain: Chain) -> Mapping[str, int]:
        """Run a chain. Gives the files that its tasks have staged, with their rows."""
        return files_of(self.runner.run(chain, Meter()))


@frozen
class FanoutHistoryEngine(_FanoutEngine):
    """Builds the pair history: a `HistoryEngine`."""

    def build(
        self, plan: HistoryPlan, inputs: HistoryInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = self._staging(staging_root)
        found = day_files(plan, inputs)
        shares = self._shares(found.row_count)
        chain = history_chain(found, plan, staging, self.runner.cores, shares)
        return self._staged(chain)


@frozen
class FanoutWindowEngine(_FanoutEngine):
    """Builds windows: a `WindowEngine`."""

    def build(self, plan: WindowPlan, inputs: WindowInputs, staging_root: str) -> Mapping[str, int]:
        staging = self._staging(staging_root)
        anchor = Anchor.of(inputs)
        files = window_files(inputs, anchor.intervals)
        roles = ROLE_NAMES if plan.hosts is Hosts.ALL else (OUTBOUND.name,)
        shares = self._shares(files.pairs.count(roles))
        chain = window_chain(files, plan, anchor, staging, self.runner.cores, shares)
        return self._staged(chain)


@frozen
class FanoutSummaryEngine(_FanoutEngine):
    """Sums up windows: a `SummaryEngine`."""

    def build(
        self, plan: SummaryPlan, inputs: SummaryInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = self._staging(staging_root)
        ends = SummaryEnds(inputs.ends, inputs.excluded_ends)
        files = SummaryFiles.of(plan, inputs, ends)
        shares = self._shares(files.windows.rows)
        chain = summary_chain(files, ends, staging, self.runner.cores, shares)
        return self._staged(chain)


@frozen
class FanoutBaselineEngine(_FanoutEngine):
    """Makes baselines: a `BaselineEngine`."""

    def build(
        self, plan: BaselinePlan, inputs: BaselineInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = self._staging(staging_root)
        files = BaselineFiles.of(plan, inputs)
        dates = HorizonDates.of(inputs.horizons)
        shares = self._shares(files.summary.rows + files.former.rows)
        chain = baseline_chain(files, plan, dates, staging, self.runner.cores, shares)
        return self._staged(chain)


@frozen
class FanoutCorrelationEngine(_FanoutEngine):
    """Compares windows with baselines: a `CorrelationEngine`."""

    def build(
        self, plan: CorrelationPlan, inputs: CorrelationInputs, staging_root: str
    ) -> Mapping[str, int]:
        staging = self._staging(staging_root)
        files = CorrelationFiles.of(plan, inputs)
        chain = correlation_chain(files, staging, self._shares)
        return self._staged(chain)

"""Which tables there are."""

from __future__ import annotations

from ndr_core.baselines.metrics import METRICS
from ndr_core.baselines.tables import BASELINE_TABLES, SUMMARY_TABLES
from ndr_core.correlations.tables import fg_c_table
from ndr_core.deltas.spec import JobSpec
from ndr_core.deltas.tables import delta_table, pair_table
from ndr_core.history.tables import HISTORY_TABLES
from ndr_core.tables.table import Table
from ndr_core.windows.tables import BEACON, fg_a_table


def tables_of(spec: JobSpec) -> tuple[Table, ...]:
    """Give the tables that a spec builds."""
    return delta_table(spec.chosen_measures()), pair_table(timing=spec.pair.timing)


def feature_tables_of(spec: JobSpec) -> tuple[Table, ...]:
    """Give the tables that feature jobs build over the deltas of a spec; that of correlations with all metrics."""
    return (
        fg_a_table(spec.chosen_measures()),
        BEACON,
        *HISTORY_TABLES,
        *SUMMARY_TABLES,
        *BASELINE_TABLES,
        fg_c_table(METRICS),
    )

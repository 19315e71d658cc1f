"""Correlations by Polars, of the plain rows that the reference takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.features.correlation_kernel import compare, window_columns
from ndr_adapters.polars.features.usual import BASELINE_COLUMNS, ROWS_COLUMNS
from ndr_adapters.polars.write import empty_frame
from ndr_core.baselines.tables import BASELINE, BASELINE_ROWS
from ndr_core.correlations.plan import CorrelationPlan
from ndr_core.correlations.reference import CorrelationRows
from ndr_core.features.days import date_of
from ndr_core.tables.columns import OutputColumn
from ndr_core.tables.merge import Row
from tests.property.frames import frame_of, rows_of


def polars_correlations(
    plan: CorrelationPlan,
    rows: CorrelationRows,
    columns: Sequence[OutputColumn],
    shares: int = 1,
) -> list[Row]:
    """Compare windows with baselines by Polars, in shares of hosts. `columns`: those of `fg_a`."""
    hosts = sorted({row["host_ip"] for row in rows.windows})
    labels = {label.name: label for label in plan.labels}
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows.windows:
        if row["window_label"] in labels:
            date = rows.dates[labels[row["window_label"]]]
            share = hosts.index(row["host_ip"]) % shares
            alike[row["role"], date, row["time_band"], share].append(row)
    made = []
    for (role, date, band, _), windows in alike.items():
        place = (date_of(date.date), role, band)

        def there(
            found: Iterable[Mapping[str, Any]], place: tuple[str, str, str] = place
        ) -> list[Mapping[str, Any]]:
            return [row for row in found if (row["dt"], row["role"], row["time_band"]) == place]

        baseline, made_of = (
            (there(rows.baseline), there(rows.baseline_rows)) if date.is_known else ([], [])
        )
        made.append(
            compare(
                plan,
                role,
                date,
                frame_of(windows, columns).select(window_columns(plan)),
                frame_of(baseline, BASELINE.columns).select(BASELINE_COLUMNS),
                frame_of(made_of, BASELINE_ROWS.columns).select(ROWS_COLUMNS),
            )
        )
    table = plan.table
    return rows_of(pl.concat([empty_frame(table.columns), *made]), table.columns, table.keys)

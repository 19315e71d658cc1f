"""What a report shows of baselines: those with which windows were compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.report.outputs import OfVersion
from ndr_core.baselines.metrics import Metric
from ndr_core.baselines.tables import BASELINE
from ndr_core.features.networks import Networks
from ndr_core.report.usual import BAND, Comparisons, UsualKey, best_horizon

_LEVELS: Final = {"dt": "date", "role": "role", "time_band": "time_band"}
"""Level of the folders -> the part of a key that it spells."""


def read_comparisons(
    output: OfVersion,
    rows: Sequence[Mapping[str, Any]],
    metrics: Sequence[Metric],
    networks: Networks,
) -> tuple[str | None, Comparisons]:
    """Read what windows were compared with: of the horizon that knows most. Gives that, too.

    `rows`: of `fg_c`, as `WindowReader.compared` gives them.
    """
    horizon = best_horizon(rows, metrics)
    own = {
        (row["host_ip"], row["role"], row["end"]): row for row in rows if row["horizon"] == horizon
    }
    unread = Comparisons(own, {}, networks)
    keys = {
        key
        for row in own.values()
        for metric in metrics
        if (key := unread.scoped(row, metric)) is not None
    }
    return horizon, Comparisons(own, _baselines(output, keys), networks)


def _baselines(output: OfVersion, keys: Iterable[UsualKey]) -> dict[UsualKey, dict[str, Any]]:
    wanted = frozenset(keys)
    files = FolderRows.of_table(output, BASELINE).chosen(
        {level: {getattr(key, name) for key in wanted} for level, name in _LEVELS.items()}
    )
    columns = ("dt", "role", "time_band", "scope", "name", "window_label", "horizon", "metric")
    # One after the other: what is read of each is little beside what it holds.
    found = {}
    for part in files.folders(["dt", "time_band"]).values():
        rows = part.frame([*columns, *BAND]).filter(
            pl.col("name").is_in(sorted({key.name for key in wanted}))
            & pl.col("window_label").is_in(sorted({key.window_label for key in wanted}))
            & pl.col("horizon").is_in(sorted({key.horizon for key in wanted}))
            & pl.col("metric").is_in(sorted({key.metric for key in wanted}))
        )
        for row in rows.collect(engine="streaming").iter_rows(named=True):
            key = UsualKey.of(row)
            if key in wanted:
                found[key] = row
    return found

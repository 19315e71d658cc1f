"""Summaries and baselines by the Polars kernels, of plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ndr_adapters.polars.features.baseline_frames import (
    FORMER_COLUMNS,
    FORMER_ROWS_COLUMNS,
    FORMER_SCOPES_COLUMNS,
    SUMMARY_COLUMNS,
    SUMMARY_ROWS_COLUMNS,
    BaselineFrames,
    CellFrames,
    HorizonDates,
)
from ndr_adapters.polars.features.baseline_kernel import BaselineShare
from ndr_adapters.polars.features.baseline_scopes import Used, scope_tables
from ndr_adapters.polars.features.summary_kernel import (
    JUDGE_COLUMNS,
    JUDGE_ROWS_COLUMNS,
    WINDOW_KEYS,
    SummaryEnds,
    SummaryFrames,
    build_share,
    window_columns,
)
from ndr_core.baselines.judge import JUDGING_HORIZON
from ndr_core.baselines.plan import BaselinePlan, SummaryPlan
from ndr_core.baselines.rows import BaselineTables, HorizonRows, PlainRow, SummaryRows
from ndr_core.baselines.tables import (
    BASELINE,
    BASELINE_ROWS,
    HOST,
    NETWORK,
    SEGMENT,
    SUMMARY,
    SUMMARY_ROWS,
)
from ndr_core.features.days import day_of_date
from ndr_core.tables.merge import Row
from ndr_core.tables.table import Table
from ndr_core.windows.labels import WindowLabel
from tests.property.frames import frame_of, rows_of
from tests.window_cases import window_plan

Ends = Mapping[int, tuple[WindowLabel, ...]]


def polars_summary(
    plan: SummaryPlan, rows: SummaryRows, ends: Ends, excluded_ends: Ends, shares: int = 1
) -> dict[str, list[Row]]:
    """The tables of a summary by Polars, put together of shares of hosts."""
    judge = of_hosts(rows.judge, [JUDGING_HORIZON])
    fg_a = frame_of([*rows.included, *rows.excluded], window_plan().fg_a.columns).lazy()
    frames = SummaryFrames(
        fg_a.select(*WINDOW_KEYS, *window_columns(plan)),
        judge[0].select(JUDGE_COLUMNS),
        judge[1].select(JUDGE_ROWS_COLUMNS),
    )
    found: dict[Table, list[pl.DataFrame]] = {SUMMARY: [], SUMMARY_ROWS: []}
    for number in range(shares):
        share = build_share(frames.share(number, shares), plan, SummaryEnds(ends, excluded_ends))
        for table, frame in share.tables():
            found[table].append(frame)
    return as_plain(found)


def polars_baselines(
    plan: BaselinePlan, horizons: Sequence[HorizonRows], shares: int = 1
) -> dict[str, list[Row]]:
    """The tables of baselines by Polars, put together of shares of hosts."""
    dates = [_dates(one) for one in horizons]
    whole = _frames(plan, horizons)
    found: dict[Table, list[pl.DataFrame]] = {BASELINE: [], BASELINE_ROWS: []}
    used_rows, used_changes = [], []
    for number in range(shares):
        frames = whole.where(pl.col("host_ip").hash() % shares == number)
        share = BaselineShare.of(frames, plan, dates)
        found[BASELINE_ROWS].append(share.rows())
        used_rows.append(share.used_rows())
        for cells in frames.cells:
            made, of_segments = share.baselines(cells)
            found[BASELINE].append(made)
            used_changes.append(of_segments)
    segments = Used.of(used_rows, used_changes, plan)
    for scope, of_scope in ((SEGMENT, segments), (NETWORK, segments.network(plan))):
        baseline, baseline_rows = scope_tables(of_scope, scope, plan, whole.former_scopes)
        found[BASELINE].append(baseline)
        found[BASELINE_ROWS].append(baseline_rows)
    return as_plain(found)


def of_hosts(tables: BaselineTables, horizons: Iterable[str]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The hosts' rows of both tables of baselines, of some horizons."""
    names = list(horizons)
    baseline, rows = (
        frame_of(of_table, table.columns)
        .lazy()
        .filter(pl.col("scope") == HOST, pl.col("horizon").is_in(names))
        .rename({"name": "host_ip"})
        for of_table, table in ((tables.baseline, BASELINE), (tables.rows, BASELINE_ROWS))
    )
    return baseline, rows


def _frames(plan: BaselinePlan, horizons: Sequence[HorizonRows]) -> BaselineFrames:
    """The rows of all horizons: a summary that several of them read is there once."""
    parts = [part for one in horizons for part in (one.added, one.removed)]
    summary = _each_once(row for part in parts for row in part.summary)
    rows = _each_once(row for part in parts for row in part.rows)
    former = BaselineTables()
    names = []
    for of_horizon, horizon in zip(horizons, plan.horizons, strict=True):
        if of_horizon.former is not None:
            former = of_horizon.former
            names.append(horizon.horizon.name)
    baseline, baseline_rows = of_hosts(former, names)
    scopes = frame_of(former.baseline, BASELINE.columns).lazy()
    former_scopes = scopes.filter(pl.col("scope") != HOST, pl.col("horizon").is_in(names))
    dates = {row["dt"]: day_of_date(row["dt"]) for row in rows}
    date = pl.col("dt").replace_strict(dates, return_dtype=pl.Int64).alias("date")

    def of_dates(plain: list[PlainRow], table: Table, columns: Sequence[str]) -> pl.LazyFrame:
        return frame_of(plain, table.columns).lazy().with_columns(date).select(columns)

    cells = [
        CellFrames(
            of_dates(
                [row for row in summary if (row["role"], row["time_band"]) == key],
                SUMMARY,
                SUMMARY_COLUMNS,
            ),
            baseline.filter(pl.col("role") == key[0], pl.col("time_band") == key[1]).select(
                FORMER_COLUMNS
            ),
        )
        for key in sorted({(row["role"], row["time_band"]) for row in (*summary, *former.baseline)})
    ]
    return BaselineFrames(
        of_dates(rows, SUMMARY_ROWS, SUMMARY_ROWS_COLUMNS),
        baseline_rows.select(FORMER_ROWS_COLUMNS),
        cells,
        former_scopes.rename({"name": "segment"}).select(FORMER_SCOPES_COLUMNS),
    )


def _dates(rows: HorizonRows) -> HorizonDates:
    added, removed = (
        tuple(sorted({day_of_date(row["dt"]) for row in part.rows}))
        for part in (rows.added, rows.removed)
    )
    return HorizonDates(added, removed, rows.former is not None)


def _each_once(rows: Iterable[PlainRow]) -> list[PlainRow]:
    found: dict[str, PlainRow] = {repr(sorted(row.items())): row for row in rows}
    return list(found.values())


def as_plain(tables: Mapping[Table, Sequence[pl.DataFrame]]) -> dict[str, list[Row]]:
    """Rows of the core, sorted by key. Asserts that the rows of each frame are in the order of files."""
    for table, frames in tables.items():
        for frame in frames:
            assert frame.equals(frame.sort(file_order(table))), table.name
    return {
        table.name: rows_of(pl.concat(frames), table.columns, table.keys)
        for table, frames in tables.items()
    }


def file_order(table: Table) -> list[str]:
    """The columns by which files with few names are sorted: those of histograms have each metric together."""
    if table in (SUMMARY, BASELINE):
        last = [name for name in ("horizon", "name", "host_ip") if name in table.keys]
        return ["role", "time_band", "metric", "window_label", *last]
    return [key for key in table.keys if key not in ("dt", "scope")]


def plain(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Row]]:
    """Tables of the reference, as `as_plain` gives them."""
    of_name = {one.name: one for one in (SUMMARY, SUMMARY_ROWS, BASELINE, BASELINE_ROWS)}
    return {
        name: rows_of(
            frame_of(rows, of_name[name].columns), of_name[name].columns, of_name[name].keys
        )
        for name, rows in tables.items()
    }

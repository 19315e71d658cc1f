"""The summary of a local date, compiled for Polars: rows of windows -> how often each metric had which value.

Rows may be shared out by host: each share is summed up by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl
from attrs import evolve, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.metric_cells import counted, groups_of, histograms, packed
from ndr_adapters.polars.features.metric_codes import HOST_NUMBER, ROW, Codes, Hosts
from ndr_adapters.polars.features.window_judge import Judge
from ndr_adapters.polars.write import DTYPES
from ndr_core.baselines.buckets import bucket
from ndr_core.baselines.metrics import UNKNOWN, Absent, Metric
from ndr_core.baselines.plan import SummaryPlan
from ndr_core.baselines.tables import SUMMARY, SUMMARY_ROWS
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.expressions.expr import col, columns_of
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.table import Table
from ndr_core.windows.labels import WindowLabel

WINDOW_KEYS: Final = ("host_ip", "role", "time_band", "window_label", "window_end_ts")
"""What is read of windows, beside the columns of which metrics are made."""

JUDGE_COLUMNS: Final = (
    "host_ip",
    "role",
    "time_band",
    "window_label",
    "metric",
    "included",
    "excluded",
)
"""What is read of the hosts' `baseline`, whose `name` is the host."""

JUDGE_ROWS_COLUMNS: Final = ("host_ip", "role", "time_band", "window_label", "windows_cnt")
"""What is read of the hosts' `baseline_rows`, likewise."""

NAMES_TOGETHER: Final = 1024
"""Hosts whose histograms lie together in a file: in it those of one metric do, which packs a sixth better."""

_BUCKET: Final = bucket(col("x"))
_IS_EXCLUDED: Final = "is_excluded"


def window_columns(plan: SummaryPlan) -> list[str]:
    """Name the columns of `fg_a` of which metrics are made, in order."""
    return sorted({name for metric in plan.metrics for name in columns_of(metric.value)})


@frozen
class SummaryEnds:
    """The windows that are summed up."""

    included: Mapping[int, tuple[WindowLabel, ...]]
    """End of windows, us -> those of which rows may be usual."""
    excluded: Mapping[int, tuple[WindowLabel, ...]]
    """The same of excluded periods."""

    def rows(self) -> pl.DataFrame:
        """Give `window_end_ts`, `window_label` and whether the windows are excluded."""
        found = [
            (end, label.name, is_excluded)
            for is_excluded, ends in ((False, self.included), (True, self.excluded))
            for end, labels in ends.items()
            for label in labels
        ]
        schema = {
            "window_end_ts": pl.Int64(),
            "window_label": pl.String(),
            _IS_EXCLUDED: pl.Boolean(),
        }
        moment = pl.col("window_end_ts").cast(DTYPES[ColumnType.TIMESTAMP])
        return pl.DataFrame(found, schema, orient="row").with_columns(moment)


@frozen
class SummaryFrames:
    """Rows of some hosts, or of all."""

    windows: pl.LazyFrame
    """WINDOW_KEYS and `window_columns` of `fg_a`."""
    judge: pl.LazyFrame
    """JUDGE_COLUMNS of the baselines by which windows are judged: of hosts and of 7 days."""
    judge_rows: pl.LazyFrame
    """JUDGE_ROWS_COLUMNS, likewise."""
    addresses: Addresses = field(factory=Addresses)
    """Hosts in the rows may be texts, or what this knows by its numbers (`Addresses.known`)."""

    def share(self, number: int, shares: int) -> SummaryFrames:
        """Give the rows of one of so many shares of the hosts."""
        if shares == 1:
            return self
        is_mine = pl.col("host_ip").hash() % shares == number
        return evolve(
            self,
            windows=self.windows.filter(is_mine),
            judge=self.judge.filter(is_mine),
            judge_rows=self.judge_rows.filter(is_mine),
        )


@frozen
class SummaryShare:
    """Rows in the columns of the tables, in the order in which files have them."""

    summary: pl.DataFrame
    rows: pl.DataFrame

    def tables(self) -> Iterator[tuple[Table, pl.DataFrame]]:
        """Give the rows of each table."""
        yield SUMMARY, self.summary
        yield SUMMARY_ROWS, self.rows


def build_share(frames: SummaryFrames, plan: SummaryPlan, ends: SummaryEnds) -> SummaryShare:
    """Sum up the windows of the hosts of a share."""
    numbered = _Numbered.of(frames, plan, ends)
    rows = numbered.windows
    if plan.judging and numbered.judge_rows.height:
        judge = Judge.of(numbered.codes, numbered.judge, numbered.judge_rows, plan.judging)
        is_excluded = pl.col(_IS_EXCLUDED) | pl.lit(judge.stands_out(rows, plan.judging))
        rows = rows.with_columns(is_excluded)
    included, excluded = _cells(rows, numbered.codes, plan)
    codes = numbered.codes
    groups = groups_of([included, excluded])
    sorted_groups = groups.to_frame().with_columns(
        included=histograms(groups, included), excluded=histograms(groups, excluded)
    )
    summary = (
        sorted_groups.lazy()
        .with_columns(codes.row_of(), codes.metric_of())
        .with_columns(codes.key("host_ip"))
    )
    of_rows = (
        rows.lazy()
        .group_by(ROW)
        .agg(
            rows_included=(~pl.col(_IS_EXCLUDED)).sum().cast(pl.Int64),
            rows_excluded=pl.col(_IS_EXCLUDED).sum().cast(pl.Int64),
        )
        .with_columns(codes.key("host_ip"))
        .sort("role", "time_band", "host_ip", "window_label")
    )
    constants = plan.constants()
    return SummaryShare(
        finished(summary, SUMMARY, constants), finished(of_rows, SUMMARY_ROWS, constants)
    )


def finished(rows: pl.LazyFrame, table: Table, constants: Mapping[str, object]) -> pl.DataFrame:
    """Give rows in the columns of a table. `constants`: columns that are the same in all rows; times in us."""
    types = {column.name: DTYPES[column.type] for column in table.columns}
    same = (
        pl.lit(value, dtype=pl.Int64).cast(types[name]).alias(name)
        if types[name] == DTYPES[ColumnType.TIMESTAMP]
        else pl.lit(value, dtype=types[name]).alias(name)
        for name, value in constants.items()
    )
    return rows.with_columns(same).select(types.keys()).collect()


@frozen
class _Numbered:
    """The rows of a share, with numbers for the texts of keys."""

    codes: Codes
    windows: pl.DataFrame
    """ROW, whether the window is excluded, role, label and `window_columns`."""
    judge: pl.DataFrame
    """GROUP, `included` and `excluded`, of key metrics."""
    judge_rows: pl.DataFrame
    """ROW and `windows_cnt`."""

    @classmethod
    def of(cls, frames: SummaryFrames, plan: SummaryPlan, ends: SummaryEnds) -> _Numbered:
        number = frames.addresses.number(pl.col("host_ip")).alias(HOST_NUMBER)
        chosen = ends.rows().lazy()
        windows = (
            frames.windows.join(chosen, on=["window_end_ts", "window_label"], how="inner")
            .with_columns(number)
            .drop("host_ip", "window_end_ts")
            .collect(engine="streaming")
        )
        known = windows.get_column(HOST_NUMBER).unique()
        of_host = pl.col(HOST_NUMBER).is_in(known.implode())
        labels = [label.name for label in plan.labels]

        def of_labels(rows: pl.LazyFrame) -> pl.DataFrame:
            is_ours = pl.col("window_label").is_in(labels)
            return (
                rows.filter(is_ours)
                .with_columns(number)
                .filter(of_host)
                .collect(engine="streaming")
            )

        judge = of_labels(frames.judge.filter(pl.col("metric").is_in(plan.key_metrics)))
        judge_rows = of_labels(frames.judge_rows)
        hosts = Hosts.of(frames.addresses, [known])
        codes = Codes.of(
            hosts.texts,
            labels,
            (metric.name for metric in plan.metrics),
            names_together=NAMES_TOGETHER,
        )
        return cls(
            codes,
            windows.lazy().with_columns(hosts.place()).with_columns(codes.row()).collect(),
            judge.lazy()
            .with_columns(hosts.place())
            .select(codes.group(), "included", "excluded")
            .collect(),
            judge_rows.lazy()
            .with_columns(hosts.place())
            .select(codes.row(), "windows_cnt")
            .collect(),
        )


def _cells(rows: pl.DataFrame, codes: Codes, plan: SummaryPlan) -> list[pl.DataFrame]:
    """The cells of windows that are included, and of those that are excluded."""
    days = [label.name for label in plan.labels if label.is_day]
    found: dict[bool, list[pl.Series]] = {False: [], True: []}
    for metric in plan.metrics:
        has_it = pl.lit(True)
        if metric.is_outbound_only:
            has_it &= pl.col("role") == OUTBOUND.name
        if metric.is_of_days:
            has_it &= pl.col("window_label").is_in(days)
        value = compile_expr(metric.value).alias("x")
        values = rows.lazy().filter(has_it).select(ROW, _IS_EXCLUDED, value)
        stored = values.with_columns(_bucket(metric).alias("bucket")).drop_nulls("bucket")
        cell = packed(codes.group_of(metric.name), pl.col("bucket"))
        cells = stored.select(_IS_EXCLUDED, cell.alias("cell")).collect()
        for is_excluded, of_kind in found.items():
            chosen = pl.col(_IS_EXCLUDED) if is_excluded else ~pl.col(_IS_EXCLUDED)
            of_kind.append(cells.filter(chosen).get_column("cell"))
    return [counted(pl.concat(of_kind)) for of_kind in found.values()]


def _bucket(metric: Metric) -> pl.Expr:
    """The bucket in which a window is counted, over its value `x`; null where it is in none."""
    found = compile_expr(_BUCKET)
    if metric.absent is Absent.NULL:
        return found
    known = pl.when(found != 0).then(found)
    return pl.when(found.is_null()).then(pl.lit(UNKNOWN, dtype=pl.Int64)).otherwise(known)

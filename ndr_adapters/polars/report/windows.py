"""What a report shows of windows: rankings of hosts by their scores, and rows of chosen hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.features.folder_rows import FolderRows
from ndr_adapters.polars.report.outputs import OfVersion
from ndr_core.baselines.metrics import Metric
from ndr_core.correlations.formulas import SCOPE_ENDING, UPPER_Z_ENDING, departure_name
from ndr_core.correlations.tables import FG_C
from ndr_core.expressions.expr import columns_of
from ndr_core.report.content import Ranking
from ndr_core.report.listing import Column, Kind, Listing
from ndr_core.report.scores import SCORES, Score
from ndr_core.report.span import Span, labels_shown, seconds
from ndr_core.report.usual import detail_metrics
from ndr_core.tables.slices import place_us
from ndr_core.times import HOUR_US, MINUTE_US
from ndr_core.windows.labels import parse_minutes
from ndr_core.windows.tables import FG_A

_KEY: Final = ("host_ip", "role", "window_label", "window_end_ts")
_END: Final = pl.col("window_end_ts").dt.epoch("us")
_COMPARED: Final = ("horizon", "baseline_ts", "time_band")
_MOST_SCORES: Final[Mapping[Kind, float]] = {Kind.NUMBER: 1.0, Kind.COUNT: 1000.0}


@frozen
class WindowReader:
    """Reads the windows that a report looks at."""

    fg_a: FolderRows
    fg_c: FolderRows
    labels: tuple[str, ...]
    """Those that are shown, the shortest first; none without any window."""
    last: int
    """The last end of a window, us."""
    known: Mapping[str, frozenset[str]]
    """Table -> its columns."""

    @classmethod
    def of(cls, output: OfVersion, span: Span) -> WindowReader:
        """Find the windows that end in a span. Raises as `read_table`."""
        fg_a, last = _shown_files(FolderRows.of_runs(output, FG_A), span)
        fg_c, _ = _shown_files(FolderRows.of_runs(output, FG_C), span)
        labels: list[str] = []
        if fg_a.files:
            found = fg_a.frame(["window_label"]).unique().collect(engine="streaming")
            labels = found.to_series().to_list()
        known = {
            name: frozenset(rows.scanner.schema if rows.files else ())
            for name, rows in ((FG_A, fg_a), (FG_C, fg_c))
        }
        return cls(fg_a, fg_c, labels_shown(labels), last, known)

    def rankings(self, top: int) -> tuple[Ranking, ...]:
        """Rank hosts by each score that there is, by the highest one of all windows that are looked at."""
        return tuple(
            self._ranking(score, top) for score in SCORES if score.column in self.known[score.table]
        )

    def windows(self, hosts: Sequence[str], ends: Span) -> dict[str, list[dict[str, Any]]]:
        """Give host -> rows of the shortest windows of some hosts that end in a span, side by side, by time."""
        metrics = self.metrics
        read = {*_KEY}.union(*(columns_of(one.value) for one in metrics))
        rows = self._of_detail(self.fg_a, sorted(read), hosts, ends)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows.sort("host_ip", "role", "end", descending=[False, True, False]).iter_rows(
            named=True
        ):
            found.setdefault(row["host_ip"], []).append({**row, "window_end_ts": row["end"]})
        return found

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are shown of a host."""
        return detail_metrics(self.known[FG_A])

    def compared(self, hosts: Sequence[str], ends: Span, zone: str) -> list[dict[str, Any]]:
        """Give the rows of correlations of the same windows, with the local date of their baselines.

        `zone`: that of the network.
        """
        if not self.fg_c.files:
            return []
        endings = (UPPER_Z_ENDING, SCOPE_ENDING)
        of_metrics = [
            departure_name(metric.name, ending) for metric in self.metrics for ending in endings
        ]
        names = [
            *_KEY,
            *_COMPARED,
            *(name for name in ("anomaly_strength", *of_metrics) if name in self.known[FG_C]),
        ]
        rows = self._of_detail(self.fg_c, names, hosts, ends)
        date = pl.col("baseline_ts").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d")
        return rows.with_columns(baseline_date=date).sort("horizon", *_KEY).to_dicts()

    def _of_detail(
        self, rows: FolderRows, names: Sequence[str], hosts: Sequence[str], ends: Span
    ) -> pl.DataFrame:
        label = self.labels[0]
        length = parse_minutes(label) * MINUTE_US
        return (
            rows.frame(list(names))
            .filter(
                (pl.col("window_label") == label)
                & pl.col("host_ip").is_in(list(hosts))
                & (_END % length == 0)
                & _END.is_between(ends.start, ends.end, closed="right")
            )
            .with_columns(end=_END)
            .collect(engine="streaming")
        )

    def _ranking(self, score: Score, top: int) -> Ranking:
        has_horizon = score.table == FG_C
        files = self.fg_c if has_horizon else self.fg_a
        names = [*_KEY, *(["horizon"] if has_horizon else []), score.column]
        shown = files.frame(names).filter(self._is_shown() & (pl.col(score.column) > 0))
        best = (
            shown.group_by("host_ip")
            .agg(pl.max(score.column))
            .sort(score.column, "host_ip", descending=[True, False])
            .head(top)
            .collect(engine="streaming")
        )
        order = ["host_ip", "end", "minutes", "role", *(["horizon"] if has_horizon else [])]
        first = (
            shown.join(best.lazy(), on=["host_ip", score.column], how="semi")
            .with_columns(
                end=_END,
                minutes=pl.col("window_label").replace_strict(
                    {label: parse_minutes(label) for label in self.labels}, return_dtype=pl.Int64
                ),
            )
            .collect(engine="streaming")
            .sort(order, descending=[name in ("role", "horizon") for name in order])
            .unique("host_ip", keep="first", maintain_order=True)
        )
        rows = best.join(first.drop(score.column), on="host_ip", maintain_order="left")
        parts = self._parts(score, rows)
        columns = (
            Column("host", "host", Kind.TEXT),
            Column("score", score.column, score.kind),
            *score.parts,
            Column("role", "role", Kind.TEXT),
            Column("window", "window", Kind.TEXT),
            Column("end", "until (UTC)", Kind.TIME),
            *([Column("horizon", "baseline of", Kind.TEXT)] if has_horizon else []),
        )
        listing = Listing.of(
            columns,
            (
                (
                    row["host_ip"],
                    row[score.column],
                    *(part[one.name] for one in score.parts),
                    row["role"],
                    row["window_label"],
                    seconds(row["end"]),
                    *([row["horizon"]] if has_horizon else []),
                )
                for row, part in zip(rows.iter_rows(named=True), parts, strict=True)
            ),
        )
        return Ranking(score.column, score.about, _MOST_SCORES[score.kind], listing, True)

    def _parts(self, score: Score, rows: pl.DataFrame) -> list[dict[str, Any]]:
        """What the scores of some rows are made of, row by row."""
        found: list[dict[str, Any]] = [
            {one.name: None for one in score.parts} for _ in range(rows.height)
        ]
        names = [one.name for one in score.parts]
        for table, files in ((FG_A, self.fg_a), (FG_C, self.fg_c)):
            has_horizon = table == FG_C
            held = [name for name in names if name in self.known[table]]
            if not held or not rows.height:
                continue
            key = [*_KEY, *(["horizon"] if has_horizon and "horizon" in rows.columns else [])]
            ends = set(rows["end"].to_list())
            read = files.ending(ends).frame([*key, *held])
            of_rows = read.join(rows.lazy().select(key), on=key, how="semi").collect()
            by_key = {
                tuple(row[name] for name in key): row for row in of_rows.iter_rows(named=True)
            }
            for part, row in zip(found, rows.iter_rows(named=True), strict=True):
                known = by_key.get(tuple(row[name] for name in key), {})
                part.update({name: known.get(name) for name in held})
        return found

    def _is_shown(self) -> pl.Expr:
        of_labels = (
            (pl.col("window_label") == label)
            & (_END.eq(self.last) | (_END % (parse_minutes(label) * MINUTE_US) == 0))
            for label in self.labels
        )
        return pl.any_horizontal(*of_labels)


def _shown_files(rows: FolderRows, span: Span) -> tuple[FolderRows, int]:
    """The files of the windows that end in a span at whole hours, or last; all where none ends at a whole hour."""
    ends = {
        place_us(one.slice)
        for one in rows.files
        if one.slice is not None and span.start < place_us(one.slice) <= span.end
    }
    last = max(ends, default=0)
    whole = {end for end in ends if end % HOUR_US == 0}
    return rows.ending((whole or ends) | {last}), last

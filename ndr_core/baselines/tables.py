"""The tables of baselines: the daily summaries of windows, and what is usual by them."""

from __future__ import annotations

from typing import Final

from ndr_core.baselines import buckets
from ndr_core.baselines.plan import OUTLIER_Z
from ndr_core.baselines.samples import SAMPLES, SHIFT
from ndr_core.expressions.expr import Expr, col
from ndr_core.expressions.spell import spell
from ndr_core.tables import units
from ndr_core.tables.columns import ColumnType, OutputColumn, text_key, value_column
from ndr_core.tables.origin import Origin
from ndr_core.tables.slices import DAY_LEVELS
from ndr_core.tables.table import Table

LEVELS: Final = (*DAY_LEVELS, "role", "time_band")
"""Folders of all tables of baselines, outermost first."""


_BUCKET: Final = spell(buckets.bucket(col("x")))
_MIDDLE: Final = spell(buckets.middle(col("bucket")))


def _int(name: str, meaning: str, origin: Origin) -> OutputColumn:
    return value_column(name, ColumnType.INT64, meaning, origin)


def _count(how: Expr | str, *inputs: str, note: str = "") -> Origin:
    return Origin(units.COUNT, how, inputs, note=note)


def _end(date: str) -> tuple[OutputColumn, ...]:
    return (
        value_column(
            "published_at",
            ColumnType.TIMESTAMP,
            "when the run published the row",
            Origin(units.TIME, "the clock of the run"),
        ),
        text_key("feature_spec_version", "version of the features"),
        text_key("dt", f"{date}, YYYY-MM-DD"),
        text_key("role", "the side from which the host is seen"),
        text_key(
            "time_band", "part of the week: wd_work, wd_off, wd_night or we; of whole days: all"
        ),
    )


_HOST: Final = text_key("host_ip", "the host")
_LABEL: Final = text_key("window_label", "the length of the windows, such as w_15m")
_METRIC: Final = text_key("metric", "the number of the windows that is counted")
_WINDOWS: Final = ("fg_a.host_ip", "fg_a.window_end_ts")
_OF_DAY: Final = _end("local date of the windows")
_OF_BASELINE: Final = _end("local date on which windows begin that are compared with it")

SUMMARY_ROWS: Final = Table(
    name="summary_rows",
    keys=("dt", "role", "time_band", "host_ip", "window_label"),
    columns=(
        _HOST,
        _LABEL,
        _int(
            "rows_included",
            "windows of the host that are counted as usual",
            _count("count of the rows that are not excluded", *_WINDOWS),
        ),
        _int(
            "rows_excluded",
            "windows of the host that stand out, or lie in excluded periods",
            _count(
                f"count of the rows with z > {OUTLIER_Z:g} in a key metric against the host's own baseline of all "
                "windows, or in an excluded period",
                *_WINDOWS,
                "baseline.included",
                "baseline.excluded",
            ),
        ),
        *_OF_DAY,
    ),
    levels=LEVELS,
)
"""How many windows of a host a day was summed up of: those of which all slices were published."""

_METRICS: Final = ("fg_a: the columns of the metric",)

SUMMARY: Final = Table(
    name="summary",
    keys=("dt", "role", "time_band", "host_ip", "window_label", "metric"),
    columns=(
        _HOST,
        _LABEL,
        _METRIC,
        value_column(
            "included",
            ColumnType.HISTOGRAM,
            "the usual windows by the log-linear bucket of the metric; of counts and sums without bucket 0, which is "
            "rows_included less the rest, and with unknown values as bucket -1",
            Origin(units.COUNTS, f"number of included rows by {_BUCKET}, x: the metric", _METRICS),
        ),
        value_column(
            "excluded",
            ColumnType.HISTOGRAM,
            "the others likewise, of rows_excluded",
            Origin(units.COUNTS, f"number of excluded rows by {_BUCKET}, x: the metric", _METRICS),
        ),
        *_OF_DAY,
    ),
    levels=LEVELS,
)
"""The windows of a host and a local date, counted by each metric. Without a row of a count or sum all are 0."""

HOST: Final = "host"
SEGMENT: Final = "segment"
NETWORK: Final = "network"
SCOPES: Final = (HOST, SEGMENT, NETWORK)
"""Whose baseline a row is, the narrowest first."""

_SCOPE: Final = (
    text_key("scope", "whose baseline it is: host, segment or network"),
    text_key("name", "the host's address, the segment's name, or network"),
)
_HORIZON: Final = text_key("horizon", "how far it goes back: 7d or 30d")


def _added(name: str) -> Origin:
    return _count(
        "sum over the local dates of the horizon; of several hosts added up", f"summary_rows.{name}"
    )


BASELINE_ROWS: Final = Table(
    name="baseline_rows",
    keys=("dt", "role", "time_band", "scope", "name", "window_label", "horizon"),
    columns=(
        *_SCOPE,
        _LABEL,
        _HORIZON,
        _int(
            "rows_included",
            "usual windows of the horizon, as in summary_rows",
            _added("rows_included"),
        ),
        _int("rows_excluded", "the others, likewise", _added("rows_excluded")),
        _int(
            "windows_cnt",
            "windows of which all slices were published, since the host was first seen, with rows or without; of "
            "several hosts, added up",
            _count(
                "count of the windows of the band and label that the manifests of summaries list as covered, from the "
                "date of the highest bit of dates_mask on",
                "dates_mask",
            ),
        ),
        _int(
            "samples_cnt",
            "samples of a count or sum of which all values are known: windows_cnt less what is not used",
            _count(SAMPLES, note="of several hosts added up"),
        ),
        _int(
            "hosts_cnt",
            "hosts whose windows are in it",
            _count("1 for a host; else the hosts of the segment or network with a row", "scope"),
        ),
        _int(
            "support_days",
            "local dates with such windows since the host was first seen, of several hosts the first one",
            Origin(
                units.DAYS,
                "count of the local dates with a covered window of the band and label, from the date of the highest "
                "bit of dates_mask on",
                ("dates_mask",),
            ),
        ),
        _int(
            "is_cold",
            "1 where it tells too little: support_days below half of the dates that the horizon has of the band, or a "
            "host whose name does not last, else 0",
            Origin(
                units.FLAG,
                "1 if support_days < (dates of the band in the horizon + 1) // 2, or if the host's name does not last, "
                "else 0",
                ("support_days",),
            ),
        ),
        _int(
            "baseline_shift_flag",
            "1 where more than a fifth of the host's windows stood out, so that all are used, else 0; of several "
            "hosts 1 where it is 1 of one",
            Origin(units.FLAG, SHIFT, note="of several hosts the largest"),
        ),
        _int(
            "dates_mask",
            "local dates with a window of the host in this role, in any band: bit i is i days before the last one; "
            "of several hosts on which any has one",
            Origin(
                units.DAY_BITS,
                "2 * dates_mask of the date before, cut to the days of the horizon, + 1 if the last date has a row",
                ("baseline_rows.dates_mask", "summary_rows.host_ip"),
            ),
        ),
        value_column(
            "baseline_start_ts",
            ColumnType.TIMESTAMP,
            "start of the first local date",
            Origin(
                units.TIME,
                "start of dt less the gap and the days of the horizon",
                ("dt", "horizon"),
            ),
        ),
        value_column(
            "baseline_end_ts",
            ColumnType.TIMESTAMP,
            "end of the last local date, exclusive",
            Origin(units.TIME, "start of dt less the gap of the horizon", ("dt", "horizon")),
        ),
        *_OF_BASELINE,
    ),
    levels=LEVELS,
)
"""What a baseline is made of."""


def _read_off(name: str, meaning: str, how: str) -> OutputColumn:
    """A number that is read off the merged histogram of a metric."""
    return _int(name, meaning, Origin(units.OF_METRIC, how, _USED, "where n is 0"))


def _percentile(name: str, percent: int, meaning: str) -> OutputColumn:
    how = f"{_MIDDLE}, bucket: that with rank ceil({percent} / 100 n) of used cells and zeros in ascending order"
    return _read_off(name, meaning, how)


_USED: Final = (
    "included",
    "excluded",
    "baseline_rows.baseline_shift_flag",
    "baseline_rows.samples_cnt",
)

BASELINE: Final = Table(
    name="baseline",
    keys=("dt", "role", "time_band", "scope", "name", "window_label", "metric", "horizon"),
    columns=(
        *_SCOPE,
        _LABEL,
        _METRIC,
        _HORIZON,
        _int(
            "n",
            "samples",
            _count(
                "of a count or sum samples_cnt less the unknown ones (bucket -1); else the windows of used cells: "
                "included, with baseline_shift_flag 1 excluded, too",
                *_USED,
            ),
        ),
        _percentile(
            "median", 50, "middle of the bucket of rank (n + 1) // 2, in the unit of the metric"
        ),
        _percentile("p25", 25, "25th percentile, of nearest rank, likewise"),
        _percentile("p75", 75, "75th percentile"),
        _percentile("p95", 95, "95th percentile"),
        _percentile("p99", 99, "99th percentile"),
        _read_off(
            "mad",
            "median distance of a sample from the median",
            f"median of |{_MIDDLE} - median| over the samples",
        ),
        _int("iqr", "p75 - p25", Origin(units.OF_METRIC, col("p75") - col("p25"))),
        value_column(
            "included",
            ColumnType.HISTOGRAM,
            "the usual windows of the horizon, as in summary; of segment and network what their hosts use",
            Origin(
                units.COUNTS,
                "counts of the local dates of the horizon added up; of several hosts those that each of them uses",
                ("summary.included",),
            ),
        ),
        value_column(
            "excluded",
            ColumnType.HISTOGRAM,
            "the others; with baseline_shift_flag 1 they are used, too",
            Origin(
                units.COUNTS,
                "counts of the local dates of the horizon added up; of segment and network none",
                ("summary.excluded",),
            ),
        ),
        *_OF_BASELINE,
    ),
    levels=LEVELS,
)
"""What is usual of a metric. Without a row of a count or sum, samples_cnt windows are all 0."""

SUMMARY_TABLES: Final = (SUMMARY, SUMMARY_ROWS)
BASELINE_TABLES: Final = (BASELINE, BASELINE_ROWS)

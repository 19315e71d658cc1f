"""The page of the documentation that lists every column of every table of features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ndr_core.baselines.metrics import DEFAULT_METRICS, Absent, Metric
from ndr_core.catalog.entries import Entry, TableEntries
from ndr_core.catalog.markdown import markdown_table
from ndr_core.correlations.formulas import (
    MUTED_BY_SCAN,
    NOISY_SCAN,
    SCOPE_ENDING,
    departure_name,
    departures,
)
from ndr_core.correlations.tables import FG_C, metric_columns
from ndr_core.expressions.spell import spell
from ndr_core.tables.units import UNITS

_INTRODUCTION: Final = """\
# Catalogue of features

Made by `ndr catalog --markdown`; do not edit. How the tables come about: [windows.md](windows.md); how values merge,
and the buckets of histograms: [tables.md](tables.md).

- **formula**: over other values of the row, as it is computed, in this order: `//` divides and rounds down, `max` and
  `min` take the second value where the first is null, `greatest` leaves nulls out, a condition that is null counts as
  false, anything else that is made of null is null. Else words say how it is made of other rows.
- **inputs**: `table.column`, or a value of the same row. `record` is what a role sees of a flow record; `pair` and
  `pair_history` are rows that are merged for the window; names with a colon are numbers that no column holds, listed
  below their table; names such as `exfil.min_bytes` are keys of JobSpecs.
- **null**: where the value is null; several cases have `;` between them. `never` means that each row has a value.

| unit | what it says |
| --- | --- |"""


def page(tables: Mapping[str, TableEntries], metrics: Sequence[Metric]) -> str:
    """Write the catalogue as a page of Markdown. `tables`: as `entries_of` gives them; `metrics`: those of `fg_c`."""
    return "\n".join(_lines(tables, metrics)) + "\n"


def _lines(tables: Mapping[str, TableEntries], metrics: Sequence[Metric]) -> Iterator[str]:
    yield _INTRODUCTION
    yield from (f"| {name} | {says} |" for name, says in UNITS.items())
    for name, table in tables.items():
        yield from ("", f"## {name}", "", f"One row for each {_listed(table.keys)}.", "")
        if name == FG_C:
            yield from _correlations(table, metrics)
        else:
            yield from markdown_table([_row(one) for one in table.columns])
        if table.numbers:
            yield from ("", f"Numbers that formulas of `{name}` read and no column holds:", "")
            yield from markdown_table([_row(one) for one in table.numbers])


def _correlations(table: TableEntries, metrics: Sequence[Metric]) -> Iterator[str]:
    """Columns of metrics differ in the metric alone: the pattern of them, then each metric with its columns."""
    of_metrics = {column.name for metric in metrics for column in metric_columns(metric)}
    yield from markdown_table([_row(one) for one in table.columns if one.name not in of_metrics])
    yield from ("", "### Columns of each metric", "")
    yield "`x` is the value of the window, in whole steps of the unit of the metric; the other names are of its"
    yield f"baseline. While scan_score is {NOISY_SCAN} or more, {_listed(MUTED_BY_SCAN)} have no z."
    yield ""
    yield from markdown_table(list(_pattern(metrics)))
    yield from ("", "### Metrics", "")
    yield from markdown_table([_metric_row(metric) for metric in metrics])


def _pattern(metrics: Sequence[Metric]) -> Iterator[dict[str, str]]:
    """The columns of a metric: one of each unit, where formulas differ by it."""
    units = {metric.unit: metric for metric in reversed(metrics)}
    first = metrics[0]
    for number, departure in enumerate(departures(first)):
        texts: dict[str, list[str]] = {}
        for unit, metric in units.items():
            one = departures(metric)[number]
            texts.setdefault(spell(one.formula), []).append(unit.value)
        formula = "; ".join(
            text if len(texts) == 1 else f"{', '.join(of)}: {text}" for text, of in texts.items()
        )
        yield {
            "column": f"`<metric>_{departure.ending}`",
            "type": departure.type.value,
            "unit": "of the metric"
            if departure.measured_in == first.unit.value
            else departure.measured_in,
            "formula": formula,
        }
    yield {
        "column": f"`<metric>_{SCOPE_ENDING}`",
        "type": "string",
        "unit": "text",
        "formula": "whose baseline it is: host, segment or network; null where none is warm",
    }


def _metric_row(metric: Metric) -> dict[str, str]:
    rows = "outbound" if metric.is_outbound_only else "all"
    names = (
        *(one.ending for one in departures(metric)),
        SCOPE_ENDING,
    )
    return {
        "metric": metric.name,
        "x": spell(metric.value),
        "unit": metric.unit.value,
        "without a row of the window": "0" if metric.absent is Absent.ZERO else "no sample",
        "rows": f"{rows}, of whole days" if metric.is_of_days else rows,
        "by default": "yes" if metric.name in DEFAULT_METRICS else "",
        "columns": ", ".join(departure_name(metric.name, name) for name in names),
    }


def _row(entry: Entry) -> dict[str, str]:
    return {
        "column": entry.name,
        "type": entry.type,
        "unit": entry.unit,
        "meaning": entry.meaning,
        "formula": entry.formula,
        "inputs": ", ".join(entry.inputs),
        "null": entry.null or "never",
    }


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last

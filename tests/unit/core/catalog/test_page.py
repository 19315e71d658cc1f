"""The page of the catalogue has a line for each column, and the columns of metrics as a pattern and by name."""

from __future__ import annotations

import re

from ndr_core.baselines.metrics import METRICS
from ndr_core.catalog.entries import entries_of
from ndr_core.catalog.page import page
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.correlations.tables import fg_c_table, metric_columns
from ndr_core.tables.units import UNITS
from tests.makers import make_spec

SPEC = make_spec()
TABLES = (*tables_of(SPEC), *feature_tables_of(SPEC))
PAGE = page(entries_of(TABLES), METRICS)
CHAPTERS = dict(
    zip(*[iter(re.split(r"^## (\w+)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True)
)


def test_each_table_has_a_chapter_that_says_what_a_row_is() -> None:
    assert list(CHAPTERS) == [table.name for table in TABLES]
    assert "One row for each window_end_ts, role, host_ip and window_label." in CHAPTERS["fg_a"]


def test_each_column_has_a_line_of_its_table() -> None:
    for table in TABLES[:-1]:
        for column in table.columns:
            assert f"\n| {column.name} | {column.type.value} | " in CHAPTERS[table.name]


def test_columns_of_metrics_are_written_as_a_pattern_and_listed_by_metric() -> None:
    chapter = CHAPTERS["fg_c"]
    of_metrics = chapter.partition("### Metrics")[2].splitlines()

    listed = set(re.findall(r"\w+", chapter))
    for column in fg_c_table(METRICS).columns:
        assert column.name in listed
    assert "\n| `<metric>_tail_bits` | float64 | bits | log2(n + 1) - log2(n_ge + 1) |\n" in chapter
    for metric in METRICS:
        names = ", ".join(column.name for column in metric_columns(metric))
        line = next(one for one in of_metrics if one.startswith(f"| {metric.name} | "))
        assert line.endswith(f" | {names} |")


def test_a_pattern_says_how_units_differ() -> None:
    line = next(one for one in PAGE.splitlines() if one.startswith("| `<metric>_z` |"))

    assert (
        "bytes: (x - median) / max(max(max(mad * 1.4826, iqr * 0.7413), median * 0.05), 1024)"
        in line
    )
    assert "thousandths: (x - median) / " in line


def test_a_metric_says_what_a_window_without_a_row_is_and_which_rows_have_it() -> None:
    lines = {
        line.split(" | ")[0][2:]: line.split(" | ")[3:6]
        for line in CHAPTERS["fg_c"].splitlines()
        if line.endswith("_scope |")
    }

    assert lines["sessions_cnt"] == ["0", "all", "yes"]
    assert lines["drop_ratio"] == ["no sample", "all", "yes"]
    assert lines["scan_score"] == ["0", "outbound", ""]
    assert lines["beacon_score_max"] == ["0", "outbound, of whole days", "yes"]


def test_each_unit_is_explained() -> None:
    for name, says in UNITS.items():
        assert f"| {name} | {says} |" in PAGE


def test_a_table_of_one_key_says_what_its_rows_are() -> None:
    entries = entries_of([table for table in TABLES if table.name == "prevalence"])

    assert "One row for each day_ts, role and peer_ip." in page(entries, METRICS)

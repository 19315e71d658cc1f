"""What became of records is told by rule and field, over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from ndr_core.quality.report import QualityReport, make_report
from ndr_core.quality.rules import reject_rules
from ndr_core.report.quality import (
    CHANGED,
    MOST_LABELS,
    OTHERS,
    REJECTED,
    UNKNOWN,
    Quality,
    Run,
    counts_of,
    quality_of,
)
from ndr_core.times import HOUR_US, SECOND_US
from tests.makers import us

START = us("2025-03-01T10:00:00Z")


def report_of(kept: int, rejected: Mapping[str, int], **more: Any) -> QualityReport:
    return evolve(
        make_report(reject_rules(None, deduplicates=False), kept, rejected, {}, 0, {}), **more
    )


def run(hour: int, report: QualityReport, hours: int = 1) -> Run:
    start = START + hour * HOUR_US
    return Run(start, start + hours * HOUR_US, report)


def over_time(quality: Quality) -> list[tuple[int, str, str, int, float | None]]:
    """Hour, what, label, records, per mille."""
    return [
        ((start * SECOND_US - START) // HOUR_US, *row) for start, _, *row in quality.over_time.rows
    ]


def test_records_are_counted_by_what_became_of_them_and_by_rule_and_field() -> None:
    report = report_of(
        8,
        {"malformed_ip: source_ip": 2, "non_traffic": 1},
        repaired={"missing_end": 3, "no_bytes": 0},
        late=4,
        unknown={"event_action": {"maybe": 5}},
    )

    assert counts_of(report) == {
        (REJECTED, "malformed_ip: source_ip"): 2,
        (REJECTED, "non_traffic"): 1,
        (CHANGED, "missing_end"): 3,
        (CHANGED, "late"): 4,
        (UNKNOWN, "event_action: maybe"): 5,
    }


def test_runs_add_up_the_rejected_first_and_of_these_the_most() -> None:
    one = report_of(7, {"non_traffic": 1, "malformed_record": 2}, late=9)
    other = report_of(9, {"malformed_record": 1}, examples={"malformed_record": "{"}, repaired={})

    found = quality_of([run(0, one), run(1, other)])

    assert (found.runs, found.read, found.kept, found.rejected) == (2, 20, 16, 4)
    assert found.totals.rows == (
        (REJECTED, "malformed_record", 3, 150.0, "{"),
        (REJECTED, "non_traffic", 1, 50.0, None),
        (CHANGED, "late", 9, 450.0, None),
    )


def test_the_example_of_a_rule_is_the_first_one() -> None:
    reports = [
        report_of(1, {"malformed_record": 1}, examples={"malformed_record": text})
        for text in ("first", "second")
    ]

    found = quality_of([run(hour, report) for hour, report in enumerate(reports)])

    assert found.totals.rows[0][-1] == "first"


def test_a_run_stands_where_its_time_begins_and_runs_of_one_time_add_up() -> None:
    bad = report_of(3, {"malformed_record": 1})

    found = quality_of([run(0, bad), run(0, bad), run(5, bad)])

    assert over_time(found) == [
        (0, REJECTED, "malformed_record", 2, 250.0),
        (5, REJECTED, "malformed_record", 1, 250.0),
    ]
    start, end = found.over_time.rows[0][:2]
    assert end - start == 3600


def test_parts_of_time_are_as_long_as_most_runs() -> None:
    bad = report_of(0, {"malformed_record": 1})

    found = quality_of([run(0, bad), run(24, bad, 24), run(48, bad, 24)])

    assert {end - start for start, end, *_ in found.over_time.rows} == {24 * 3600}


def test_a_run_of_no_length_takes_a_slice() -> None:
    bad = report_of(0, {"malformed_record": 1})

    found = quality_of([Run(START, START, bad)])

    ((start, end, *_),) = found.over_time.rows
    assert (start * SECOND_US, end - start) == (START, 900)


def test_rare_labels_are_shown_as_one() -> None:
    many = {f"field_{number:02}: x": 100 - number for number in range(MOST_LABELS + 1)}
    unknown = {name.partition(":")[0]: {"x": count} for name, count in many.items()}
    few = dict(list(unknown.items())[:MOST_LABELS])

    found, whole = (
        quality_of([run(0, report_of(2000, {}, unknown=values))]) for values in (unknown, few)
    )

    labels = [row[3] for row in found.over_time.rows]
    assert len(labels) == MOST_LABELS
    assert OTHERS in labels
    assert len(found.totals.rows) == MOST_LABELS + 1
    assert OTHERS not in [row[3] for row in whole.over_time.rows]


def test_runs_that_read_nothing_have_no_share() -> None:
    found = quality_of([run(0, report_of(0, {}, late=1))])

    assert found.totals.rows == ((CHANGED, "late", 1, None, None),)


def test_without_runs_there_is_nothing() -> None:
    found = quality_of([])

    assert (found.runs, found.read, found.totals.rows, found.over_time.rows) == (0, 0, (), ())

"""The report counts every record once, and fails a run that loses too many."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ndr_core.errors import ThresholdError
from ndr_core.flows.mapping import Lost
from ndr_core.flows.moment import Moment
from ndr_core.quality.report import QualityReport, make_report
from ndr_core.quality.rules import Span, reject_rules
from ndr_core.quality.settings import Quality
from ndr_core.tables.slices import SliceBounds

RULES = reject_rules(None, deduplicates=True, readable=["source_port"])
NO_SOURCE = "malformed_ip: source_ip"


def report(kept: int, *, malformed_ip: int = 0, **rejected: int) -> QualityReport:
    return make_report(RULES, kept, rejected | {NO_SOURCE: malformed_ip}, {}, 0, {})


def test_every_rule_is_named_in_order_with_its_count() -> None:
    made = make_report(
        RULES,
        kept=5,
        rejected={
            "malformed_ip: source_ip": 1,
            "malformed_ip: destination_ip": 1,
            "malformed_record": 1,
        },
        marked={"missing_end": 3, "late": 7, "early": 8},
        blank_lines=4,
        unreadable_files={"b": "truncated", "a": "no text"},
    )

    assert list(made.rejected.items()) == [
        ("malformed_record", 1),
        ("bad_value", 0),
        ("non_traffic", 0),
        ("missing_time", 0),
        ("malformed_ip", 2),
        ("duplicate", 0),
    ]
    assert list(made.repaired.items()) == [
        ("negative_bytes", 0),
        ("invalid_port", 0),
        ("implausible_bytes", 0),
        ("negative_duration", 0),
        ("missing_end", 3),
    ]
    assert (made.read, made.kept, made.blank_lines) == (8, 5, 4)
    assert made.outside == {"late": 7, "early": 8}
    assert made.rejected_by_detail == {
        "malformed_ip: source_ip": 1,
        "malformed_ip: destination_ip": 1,
    }
    assert list(made.unreadable_files.items()) == [("a", "no text"), ("b", "truncated")]


def test_a_report_is_plain_data() -> None:
    made = make_report(RULES, 1, {"malformed_record": 1}, {}, 2, {"a": "truncated"})

    assert json.loads(json.dumps(made.to_plain())) == {
        "read": 2,
        "kept": 1,
        "rejected": dict(made.rejected),
        "repaired": dict(made.repaired),
        "blank_lines": 2,
        "unreadable_files": {"a": "truncated"},
        "rejected_by_detail": {},
        "late": 0,
        "early": 0,
        "skipped": 0,
        "examples": {},
        "unknown": {},
    }


@pytest.mark.parametrize("read", [2, 4])
def test_a_report_that_has_lost_records_is_no_report(read: int) -> None:
    counts: dict[str, Any] = {"rejected": {"malformed_record": 1}, "repaired": {}, "blank_lines": 0}

    assert QualityReport(3, 2, **counts).unreadable_files == {}
    with pytest.raises(AssertionError, match="read is not kept"):
        QualityReport(read, 2, **counts)


def test_skipped_records_are_read_and_say_nothing_against_an_input() -> None:
    made = make_report(RULES, 1, {"bad_value: source_port": 1}, {}, 0, {}, skipped=90)

    assert (made.read, made.skipped, made.weighed, made.rejected_fraction) == (92, 90, 2, 0.5)
    make_report(RULES, 0, {}, {}, 0, {}, skipped=90).check(Quality())


@pytest.mark.parametrize(
    ("kept", "rejected", "fraction"), [(0, 0, 0.0), (4, 0, 0.0), (3, 1, 0.25), (0, 2, 1.0)]
)
@pytest.mark.parametrize("expected", [{}, {"non_traffic": 5}, {"duplicate": 2, "non_traffic": 9}])
def test_the_rejected_fraction_is_that_of_all_records_but_no_traffic_and_duplicates(
    kept: int, rejected: int, fraction: float, expected: dict[str, int]
) -> None:
    assert report(kept, malformed_record=rejected, **expected).rejected_fraction == fraction
    assert report(kept, malformed_record=rejected, **expected).weighed == kept + rejected


def test_rules_of_one_name_are_counted_as_one_and_apart_by_their_details() -> None:
    bounds = SliceBounds(0, 60_000_000)
    rules = reject_rules(
        Span(bounds, Moment.EVENT_END, 0, 0), deduplicates=False, readable=["source_ip"]
    )
    made = make_report(
        rules, 1, {"out_of_slice: too_early": 2, "out_of_slice: too_late": 3}, {}, 0, {}
    )

    assert made.rejected["out_of_slice"] == 5
    assert made.rejected_by_detail == {
        "out_of_slice: too_late": 3,
        "out_of_slice: too_early": 2,
    }
    assert made.rejected_by_label == {
        **dict.fromkeys(("malformed_record", "bad_value", "non_traffic", "missing_time"), 0),
        "malformed_ip": 0,
        **made.rejected_by_detail,
    }
    with pytest.raises(ThresholdError) as failed:
        made.check(Quality())
    assert "(out_of_slice: too_late 3, out_of_slice: too_early 2)" in str(failed.value)


@pytest.mark.parametrize(("kept", "fails"), [(9, True), (10, False), (11, False)])
def test_too_few_kept_records_fail_the_run(kept: int, fails: bool) -> None:
    quality = Quality(min_records=10)

    if not fails:
        report(kept).check(quality)
        return
    with pytest.raises(ThresholdError) as failed:
        report(kept).check(quality)
    assert str(failed.value) == (
        "quality.min_records: 9 records kept, at least 10 expected; nothing was published"
    )


def test_too_many_rejected_records_fail_the_run_and_their_rules_are_named() -> None:
    found = report(2, malformed_record=1, malformed_ip=3)

    with pytest.raises(ThresholdError) as failed:
        found.check(Quality(max_rejected_fraction=0.6))

    assert str(failed.value) == (
        "quality.max_rejected_fraction: 0.6667 of 6 records rejected, at most 0.6 allowed "
        "(malformed_record 1, malformed_ip: source_ip 3); nothing was published"
    )


@pytest.mark.parametrize("tenths", range(11))
@pytest.mark.parametrize("scale", [1, 7, 10**6])
def test_just_as_many_rejected_records_as_are_allowed_do_not_fail_the_run(
    tenths: int, scale: int
) -> None:
    # Without any kept record a run fails by another rule.
    kept = max((10 - tenths) * scale, 1)
    found = report(kept, malformed_record=tenths * scale)

    found.check(Quality(max_rejected_fraction=tenths / 10))


@pytest.mark.parametrize("tenths", range(10))
def test_one_more_rejected_record_fails_the_run(tenths: int) -> None:
    found = report((10 - tenths) * 1000 - 1, malformed_record=tenths * 1000 + 1)

    with pytest.raises(ThresholdError, match="max_rejected_fraction"):
        found.check(Quality(max_rejected_fraction=tenths / 10))


@pytest.mark.parametrize("expected", [{}, {"non_traffic": 5}, {"duplicate": 2, "non_traffic": 9}])
def test_a_run_that_has_no_records_to_weigh_does_not_fail(expected: dict[str, int]) -> None:
    report(0, **expected).check(Quality(), lambda: pytest.fail("nobody has to look"))


LAX = Quality(max_rejected_fraction=1.0)


def test_a_run_that_can_use_none_of_its_records_fails_whatever_the_thresholds_are() -> None:
    found = report(0, malformed_record=2, malformed_ip=1, non_traffic=4)

    with pytest.raises(ThresholdError) as failed:
        found.check(LAX, lambda: "The input looks like a novel.")

    assert str(failed.value) == (
        "none of 3 records can be used (malformed_record 2, malformed_ip: source_ip 1); nothing was published. "
        "The input looks like a novel."
    )
    report(1, malformed_record=999).check(LAX)


def test_where_the_input_looks_like_nothing_known_its_mapping_is_to_blame() -> None:
    with pytest.raises(ThresholdError, match="See whether `input` of the JobSpec fits the records"):
        report(0, malformed_record=1).check(LAX)


def test_where_most_records_are_out_of_the_bounds_the_bounds_are_to_blame() -> None:
    def look() -> str:
        return "The input looks like a novel."

    for out_of_slice, blamed in ((2, "Give the bounds of the time"), (1, "looks like a novel")):
        rejected = {"malformed_record": 1, "out_of_slice": out_of_slice}
        found = QualityReport(1 + out_of_slice, 0, rejected, {}, 0)
        with pytest.raises(ThresholdError, match=blamed):
            found.check(LAX, look)


def test_of_a_rule_the_rest_is_told_beside_its_details() -> None:
    rules = reject_rules(None, deduplicates=False, lost=Lost("log_status", "SKIPDATA"))

    made = make_report(rules, 1, {"non_traffic: lost": 2, "non_traffic": 5}, {}, 0, {})

    assert made.rejected["non_traffic"] == 7
    assert made.rejected_by_label.items() >= {"non_traffic: lost": 2, "non_traffic": 5}.items()


def test_examples_come_in_the_order_of_the_rules() -> None:
    examples = {"duplicate": "c", NO_SOURCE: "b", "malformed_record": "a"}

    made = make_report(RULES, 0, dict.fromkeys(examples, 1), {}, 0, {}, 0, examples)

    assert list(made.examples.items()) == [
        ("malformed_record", "a"),
        (NO_SOURCE, "b"),
        ("duplicate", "c"),
    ]

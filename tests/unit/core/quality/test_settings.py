"""What a JobSpec says of quality, and what is wrong with it."""

from __future__ import annotations

import pytest

from ndr_core.errors import Problem
from ndr_core.quality.settings import OnUnreadableFile, Quality
from ndr_core.times import parse_duration


def test_by_default_a_broken_file_or_too_many_rejects_fail_a_run() -> None:
    assert Quality() == Quality(
        deduplicate_on=(),
        max_rejected_fraction=0.5,
        min_records=0,
        allowed_lateness=parse_duration("24h"),
        allowed_earliness=parse_duration("15m"),
        on_unreadable_file=OnUnreadableFile.FAIL,
    )
    assert Quality().problems() == []
    assert Quality().key_columns == ()


def test_only_source_columns_are_read_for_deduplication_alone() -> None:
    quality = Quality(deduplicate_on=("uid", "source_ip", "seq", "event_start"))

    assert quality.key_columns == ("uid", "seq")


def test_a_key_that_is_named_twice_is_read_once() -> None:
    assert Quality(deduplicate_on=("uid", "seq", "uid")).key_columns == ("uid", "seq")


@pytest.mark.parametrize(("keys", "allowed"), [(64, True), (65, False)])
def test_a_key_has_so_many_columns_at_most(keys: int, allowed: bool) -> None:
    quality = Quality(deduplicate_on=tuple(f"k{number}" for number in range(keys)))

    problem = Problem("deduplicate_on", f"has {keys} entries; at most 64 are possible")
    assert quality.problems() == ([] if allowed else [problem])


@pytest.mark.parametrize(
    ("fraction", "allowed"),
    [(0.0, True), (1.0, True), (-0.1, False), (1.1, False), (float("nan"), False)],
)
def test_a_fraction_lies_between_0_and_1(fraction: float, allowed: bool) -> None:
    problem = Problem("max_rejected_fraction", "must lie between 0 and 1")

    found = Quality(max_rejected_fraction=fraction).problems()

    assert found == ([] if allowed else [problem])


@pytest.mark.parametrize(("records", "allowed"), [(0, True), (1, True), (-1, False)])
def test_a_number_of_records_is_not_negative(records: int, allowed: bool) -> None:
    problem = Problem("min_records", "must not be negative")

    assert Quality(min_records=records).problems() == ([] if allowed else [problem])


def test_every_problem_is_listed() -> None:
    quality = Quality(
        deduplicate_on=("k",) * 65,
        max_rejected_fraction=2.0,
        min_records=-1,
    )

    assert [problem.key for problem in quality.problems()] == [
        "deduplicate_on",
        "max_rejected_fraction",
        "min_records",
    ]


def test_a_broken_file_fails_the_run_or_is_set_aside() -> None:
    assert [choice.value for choice in OnUnreadableFile] == ["fail", "quarantine"]

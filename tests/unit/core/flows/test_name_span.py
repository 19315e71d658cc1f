"""The names of files tell the span of time that a mini-batch is for."""

from __future__ import annotations

import re

import pytest

from ndr_core.errors import UsageError
from ndr_core.flows.name_span import PATTERNS, name_pattern, span_of_names
from ndr_core.times import iso_text

START = r"(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)T(?P<H>\d\d)"


def span(pattern: str, *names: str) -> tuple[str, str]:
    start, end = span_of_names(name_pattern(pattern), names)
    return iso_text(start), iso_text(end)


def refused(pattern: str, name: str) -> str:
    with pytest.raises(UsageError) as error:
        span(pattern, name)
    return str(error.value)


def test_the_files_of_zeek_are_named_by_start_and_end() -> None:
    assert span("zeek", "/logs/2024-04-19/conn.10:00:00-11:30:00.log.gz") == (
        "2024-04-19T10:00:00Z",
        "2024-04-19T11:30:00Z",
    )


def test_the_last_file_of_a_day_of_zeek_ends_on_the_next_day() -> None:
    assert span("zeek", "s3://b/2024-02-29/conn.23:00:00-00:00:00.log.gz") == (
        "2024-02-29T23:00:00Z",
        "2024-03-01T00:00:00Z",
    )


def test_a_vpc_flow_log_is_named_by_its_start_and_holds_an_hour() -> None:
    name = "s3://b/1234_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz"

    assert span("vpcflow", name) == ("2018-06-20T16:20:00Z", "2018-06-20T17:20:00Z")


@pytest.mark.parametrize("preset", sorted(PATTERNS))
def test_every_preset_s_pattern_is_one(preset: str) -> None:
    assert name_pattern(preset) is name_pattern(PATTERNS[preset])


def test_the_span_of_several_files_is_from_the_least_start_to_the_greatest_end() -> None:
    names = ("a-2024-04-19T10", "b-2024-04-19T08", "c-2024-04-19T09")

    assert span(START, *names) == ("2024-04-19T08:00:00Z", "2024-04-19T11:00:00Z")


@pytest.mark.parametrize(
    ("rest", "name", "end"),
    [
        ("", "2024-04-19T10", "2024-04-19T11:00:00Z"),
        (r"(?P<M>\d\d)", "2024-04-19T1045", "2024-04-19T11:45:00Z"),
        (r"-(?P<H2>\d\d)", "2024-04-19T10-12", "2024-04-19T12:00:00Z"),
        (r"(?P<M>\d\d)-(?P<H2>\d\d)", "2024-04-19T1045-12", "2024-04-19T12:45:00Z"),
        (r"(?P<M>\d\d)-(?P<M2>\d\d)", "2024-04-19T1015-30", "2024-04-19T10:30:00Z"),
        (r"(?P<M>\d\d)-(?P<M2>\d\d)", "2024-04-19T1045-00", "2024-04-19T11:00:00Z"),
        (r"(?P<M>\d\d)-(?P<M2>\d\d)", "2024-04-19T2345-00", "2024-04-20T00:00:00Z"),
        (r"-(?P<H2>\d\d)", "2024-04-19T10-10", "2024-04-20T10:00:00Z"),
        (r"-(?P<d2>\d\d)", "2024-04-19T10-20", "2024-04-20T10:00:00Z"),
        (r"-(?P<m2>\d\d)(?P<d2>\d\d)", "2024-04-19T10-0501", "2024-05-01T10:00:00Z"),
        (r"-(?P<Y2>\d{4})", "2024-04-19T10-2025", "2025-04-19T10:00:00Z"),
        (r"(-(?P<H2>\d\d))?", "2024-04-19T10-12", "2024-04-19T12:00:00Z"),
        (r"(-(?P<H2>\d\d))?", "2024-04-19T10", "2024-04-19T11:00:00Z"),
    ],
)
def test_what_is_left_out_of_the_end_is_as_in_the_start_and_without_any_it_is_an_hour_later(
    rest: str, name: str, end: str
) -> None:
    assert span(START + rest, name)[1] == end


def test_a_pattern_may_fit_anywhere_in_an_address() -> None:
    assert span(START, "in/x-2024-04-19T10.json/part-0") == (
        "2024-04-19T10:00:00Z",
        "2024-04-19T11:00:00Z",
    )


def test_a_name_that_does_not_fit_is_named_so_that_it_can_be_printed() -> None:
    assert refused(START, "in/a\n.gz") == (
        f"span-from-name: in/a\\n.gz does not fit the pattern {START!r}"
    )


def test_one_name_that_does_not_fit_is_enough() -> None:
    with pytest.raises(UsageError, match="in/b"):
        span(START, "2024-04-19T10", "in/b")


@pytest.mark.parametrize(
    "name", ["2024-13-19T10", "2024-02-30T10", "2024-04-19T24", "0000-04-19T10", "9999-12-31T23"]
)
def test_a_name_that_fits_but_spells_no_time_is_refused(name: str) -> None:
    assert refused(START, name).startswith(f"span-from-name: {name} spells no time: ")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("(?P<Y>.+)-(?P<m>.)(?P<d>.)(?P<H>.)", "x-111"),
        (r"(?P<Y>\d+)-(?P<m>.)(?P<d>.)(?P<H>.)", f"{10**20}-111"),
        (r"(?P<Y>\d{4})-(?P<m>\d)?(?P<d>\d)(?P<H>\d)", "2024-11"),
        (START + r"-(?P<H2>\d\d)", "9999-12-31T23-00"),
        (START + r"-(?P<d2>\d\d)", "2024-04-19T10-31"),
    ],
)
def test_groups_that_hold_no_numbers_of_the_calendar_spell_no_time(pattern: str, name: str) -> None:
    assert "spells no time" in refused(pattern, name)


@pytest.mark.parametrize("name", ["2024-04-19T10-18", "2024-04-19T10-19"])
def test_a_span_whose_end_has_a_day_must_end_after_it_begins(name: str) -> None:
    assert refused(START + r"-(?P<d2>\d\d)", name) == (
        f"span-from-name: {name} ends before it begins"
    )


def test_no_names_tell_no_span() -> None:
    with pytest.raises(UsageError, match=r"^span-from-name: the input has no file whose name"):
        span(START)


def test_text_that_is_no_regular_expression_is_refused_and_the_presets_are_named() -> None:
    with pytest.raises(UsageError) as error:
        name_pattern("paloalto(")

    assert str(error.value).startswith(
        "span-from-name: 'paloalto(' is neither a preset (zeek, vpcflow) nor a regular expression: "
    )


@pytest.mark.parametrize("missing", ["Y", "m", "d", "H"])
def test_a_pattern_without_a_part_of_the_start_is_refused(missing: str) -> None:
    with pytest.raises(UsageError, match=f"has no group {missing}; the start takes"):
        name_pattern(START.replace(f"?P<{missing}>", ""))


def test_all_parts_that_a_pattern_lacks_are_named() -> None:
    with pytest.raises(UsageError, match="has no group H, Y, d, m;"):
        name_pattern("palo alto")


def test_a_pattern_may_be_long_but_not_without_end() -> None:
    longest = START + "x" * (1000 - len(START))

    assert name_pattern(longest) == re.compile(longest)
    with pytest.raises(UsageError, match="the pattern has 1001 characters; at most 1000"):
        name_pattern(longest + "x")

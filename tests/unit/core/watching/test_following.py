"""Which features follow what was published."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.errors import SpecError
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import DAY_US, HOUR_US
from ndr_core.watching.following import (
    LOOK_BACK,
    Ground,
    anchors_until,
    chain_after,
    dates_over,
    history_days,
    look_from,
    refuse_other_deltas,
    turned_day,
    windows_to_build,
)
from ndr_core.windows.calendar import Calendar
from ndr_core.windows.labels import WindowLabel
from tests.makers import make_spec

DAY = 20_000
MIDNIGHT = DAY * DAY_US
NOON = MIDNIGHT + 12 * HOUR_US
HOURLY = WindowLabel(60, 60)
LONG = WindowLabel(180, 60)


def hours(*starts: int) -> frozenset[int]:
    return frozenset(MIDNIGHT + hour * HOUR_US for hour in starts)


def ground(since: int = MIDNIGHT, front: int = NOON, first: int = MIDNIGHT) -> Ground:
    """Twelve hours of which all slices, of an hour each, are published."""
    return Ground(since, front, first, hours(*range(12)), HOUR_US, 4 * HOUR_US)


def at(hour: int) -> int:
    return MIDNIGHT + hour * HOUR_US


def test_windows_that_end_within_what_is_published_are_built_in_the_order_of_time() -> None:
    found = windows_to_build([HOURLY, LONG], ground(), {})

    assert list(found) == [at(hour) for hour in range(1, 13)]
    assert not any(found.values())
    assert anchors_until([HOURLY], ground()) == tuple(found)


def test_windows_that_are_built_are_not_built_again() -> None:
    built = {at(hour): {"w_1h"} for hour in range(1, 12)}

    assert windows_to_build([HOURLY], ground(), built) == {at(12): False}


def test_a_window_waits_for_its_slices_until_they_can_not_come_any_more() -> None:
    gaps = evolve(ground(), slices=hours(0, 1, 2, 3, 5, 6, 7, 8, 9, 11))

    found = windows_to_build([HOURLY, LONG], gaps, {})

    assert {anchor for anchor, missing in found.items() if missing} == {at(5), at(6), at(7)}
    assert at(11) not in found  # of the hour from 10, which may still come
    assert found[at(12)] is False  # the long one waits, the short one does not


def test_a_window_without_any_slice_is_not_built() -> None:
    gaps = evolve(ground(), slices=hours(0, 1, 2, 3, 5, 6, 7, 8, 9, 11))

    assert at(5) not in windows_to_build([HOURLY], gaps, {})


def test_a_window_that_reaches_before_the_first_slice_is_not_built_without_it() -> None:
    found = windows_to_build([LONG], evolve(ground(), slices=hours(*range(12))), {})

    assert list(found) == [at(hour) for hour in range(3, 13)]


def test_nothing_is_due_where_nothing_is_new() -> None:
    still = ground(since=NOON)

    assert still.span is None
    assert windows_to_build([HOURLY], still, {}) == {}
    assert anchors_until([HOURLY], still) == ()
    assert ground().span == SliceBounds(MIDNIGHT, NOON)


def test_the_look_goes_back_as_far_as_late_records_reach_where_windows_were_built_lately() -> None:
    front = MIDNIGHT + 30 * DAY_US
    lately = front - HOUR_US - LOOK_BACK

    assert look_from(front, MIDNIGHT, HOUR_US, [lately + 1]) == lately
    assert look_from(front, front - HOUR_US, HOUR_US, [lately + 1]) == front - HOUR_US


def test_the_look_goes_back_to_the_first_slice_where_none_were() -> None:
    front = MIDNIGHT + 30 * DAY_US

    assert look_from(front, MIDNIGHT, HOUR_US, []) == MIDNIGHT
    assert look_from(front, MIDNIGHT, HOUR_US, [MIDNIGHT + DAY_US]) == MIDNIGHT


def test_the_history_of_a_day_follows_when_the_day_is_over() -> None:
    next_day = ground(since=MIDNIGHT, front=MIDNIGHT + DAY_US)

    assert list(history_days(ground())) == []
    assert list(history_days(next_day)) == [DAY]
    assert list(history_days(evolve(next_day, first=MIDNIGHT - 5 * DAY_US))) == [DAY - 1, DAY]


def test_a_local_date_is_over_when_it_is_where_the_network_is() -> None:
    two_days = ground(front=MIDNIGHT + DAY_US + HOUR_US)
    paris = Calendar(zone="Europe/Paris")  # an hour or two before UTC
    new_york = Calendar(zone="America/New_York")

    assert dates_over(Calendar(), two_days) == [DAY]
    assert dates_over(paris, evolve(two_days, front=MIDNIGHT + DAY_US - HOUR_US)) == [DAY]
    assert dates_over(new_york, two_days) == [DAY - 1]


def test_a_day_has_turned_when_the_front_is_in_another_one() -> None:
    assert turned_day(None, NOON)
    assert turned_day(NOON, MIDNIGHT + DAY_US)
    assert not turned_day(NOON, NOON + HOUR_US)
    assert not turned_day(NOON, NOON - DAY_US)
    assert not turned_day(NOON, None)


def test_a_job_of_deltas_implies_the_jobs_that_follow() -> None:
    deltas = make_spec(feature_spec_version="v7")

    chain = chain_after(deltas)

    assert chain.windows.project_name == "test"
    assert chain.correlations.feature_spec_version == "v7"
    refuse_other_deltas(chain, deltas)


def test_jobs_that_read_other_deltas_do_not_follow() -> None:
    chain = chain_after(make_spec())

    with pytest.raises(SpecError, match=r"^project_name: is x for the deltas, .* those of test"):
        refuse_other_deltas(chain, make_spec(project_name="x"))
    with pytest.raises(SpecError, match=r"^feature_spec_version: is v2 for the deltas"):
        refuse_other_deltas(chain, make_spec(feature_spec_version="v2"))

"""The moment of a record says into which slice and which minute it falls."""

from __future__ import annotations

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.moment import Moment
from ndr_core.times import TIME_LIMIT_US


@pytest.mark.parametrize(
    ("start", "end", "by_end"),
    [
        (10, 20, 20),
        (10, 10, 10),
        (10, 9, 10),
        (10, -1, 10),
        (10, None, 10),
        (None, 20, None),
        (None, None, None),
        (10, TIME_LIMIT_US - 1, TIME_LIMIT_US - 1),
    ],
)
def test_the_moment_is_the_greater_of_start_and_known_end_or_the_start(
    start: int | None, end: int | None, by_end: int | None
) -> None:
    record = {"event_start": start, "event_end": end}

    assert evaluate(Moment.EVENT_END.of_flow, record) == by_end
    assert evaluate(Moment.EVENT_START.of_flow, record) == start


def test_each_choice_has_another_one() -> None:
    assert [moment.other for moment in Moment] == [Moment.EVENT_START, Moment.EVENT_END]

"""What a run is given is refused where it could make no output."""

from __future__ import annotations

import pytest

from ndr_core.errors import SpecError
from ndr_core.jobs.run import RuntimeParams, Stage
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import parse_bound

TEN, QUARTER_PAST = "2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"


def test_stages_pass_in_the_order_in_which_they_are_named() -> None:
    assert [stage.value for stage in Stage] == ["look", "start", "build", "publish"]


def test_a_run_without_bounds_is_for_no_span() -> None:
    assert RuntimeParams("mb", "run").bounds is None


def test_the_bounds_of_a_run_are_its_span() -> None:
    params = RuntimeParams("mb", "run", 0, 60_000_000)

    assert params.bounds == SliceBounds(0, 60_000_000)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (TEN, None, "give both"),
        (None, QUARTER_PAST, "give both"),
        (QUARTER_PAST, TEN, "must be later"),
        (TEN, TEN, "must be later"),
        ("10 o'clock", QUARTER_PAST, "is no ISO-8601 time"),
    ],
)
def test_wrong_slice_bounds_are_refused(start: str | None, end: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        RuntimeParams(
            "mb",
            "run",
            parse_bound(start, "slice-start") if start else None,
            parse_bound(end, "slice-end") if end else None,
        )


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", ".hidden", "a\n", "x" * 129])
def test_ids_that_could_leave_their_folder_are_refused(bad: str) -> None:
    with pytest.raises(SpecError, match=r"^mini_batch_id: "):
        RuntimeParams(bad, "run")
    with pytest.raises(SpecError, match=r"^run_id: "):
        RuntimeParams("mb", bad)


def test_a_long_id_is_cut_in_its_message() -> None:
    with pytest.raises(SpecError, match=r"128 at most") as caught:
        RuntimeParams("mb", "x" * 10_000)

    assert len(str(caught.value)) < 300

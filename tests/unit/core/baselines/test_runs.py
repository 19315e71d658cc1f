"""The names of the runs of baselines, and what is to be known of the runs that they read."""

from __future__ import annotations

import pytest

from ndr_core.baselines.runs import (
    WindowsRun,
    baselines_name,
    date_of_run,
    date_place,
    is_summary,
    summary_name,
    windows_run,
)
from ndr_core.features.lineage import read_as
from ndr_core.publishing.read_facts import FEATURES, ReadContribution
from ndr_core.windows.labels import WindowLabel
from tests.unit.core.baselines.world import PART, BaselineWorld
from tests.unit.core.features.world import FIRST_DAY, at, place


def test_a_summary_and_the_baselines_of_a_date_have_names_of_their_own() -> None:
    names = summary_name(FIRST_DAY), baselines_name(FIRST_DAY)

    assert names == ("summary-2025-03-01", "baseline-2025-03-01")
    assert [is_summary(name) for name in names] == [True, False]
    assert {date_of_run(name) for name in names} == {FIRST_DAY}
    assert date_place(FIRST_DAY) == "dt=2025-03-01"


@pytest.mark.parametrize(
    ("label", "is_covered"),
    [
        (WindowLabel(15, 15), True),
        (WindowLabel(30, 15), False),
        (WindowLabel(60, 15), False),
        (WindowLabel(45, 15), False),
    ],
)
def test_a_window_is_covered_that_was_built_of_slices_that_were_all_published(
    label: WindowLabel, is_covered: bool
) -> None:
    read = ReadContribution(FEATURES, "fg_a", "x", place(8), "digest")
    run = WindowsRun(read, frozenset({"w_15m", "w_30m", "w_1h"}), frozenset({place(6)}))

    # The slice from 01:30 on was not published; the windows end at 02:00.
    assert run.covers(label, at(8)) is is_covered


def test_a_slice_that_begins_as_a_window_ends_is_no_part_of_it() -> None:
    read = ReadContribution(FEATURES, "fg_a", "x", place(8), "digest")
    run = WindowsRun(read, frozenset({"w_15m"}), frozenset({place(8), place(6)}))

    assert run.covers(WindowLabel(15, 15), at(8))


def test_a_run_of_windows_is_known_by_what_it_built_and_was_made_of() -> None:
    world = BaselineWorld()
    world.contribute("a", 0, 20)
    made = world.build_windows(PART, names=("w_6h",), allows_missing=True).manifest

    found = windows_run(made, at(PART))

    assert found.contribution == read_as(made, place(PART))
    assert found.built == {"w_6h"}
    assert found.unpublished == {place(quarter) for quarter in range(20, 24)}

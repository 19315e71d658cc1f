"""A run is refused, before it works, where it would harm what an output holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import SpecError, UsageError
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.entry import entry_of, owner_hash
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.publishing.standing import (
    Overrides,
    Standing,
    check_standing,
    entries_of_note,
    refuse_other_meaning,
    stale_replay,
    standing_of,
)
from tests.unit.core.publishing.makers import FACTS, after_ten, bounds, compacted, published

# How an output stands for a run.


def test_an_output_without_runs_holds_nothing_that_concerns_a_run() -> None:
    assert standing_of([], FACTS, 0) == Standing(None, None, ())


def test_the_former_run_is_the_last_one_of_the_owner() -> None:
    runs = [published(2, 0), published(1, 0), published(3, 0, mini_batch_id="b")]

    assert standing_of(runs, FACTS, 0).former == runs[0]


@pytest.mark.parametrize("part", ["feature_spec_version", "job_name", "mini_batch_id"])
def test_a_run_of_another_version_job_or_mini_batch_is_not_the_former_one(part: str) -> None:
    assert standing_of([published(1, 0, **{part: "other"})], FACTS, 0).former is None


def test_the_newest_run_is_of_the_version_of_the_run_where_that_has_any() -> None:
    old, other = published(1, 0, mini_batch_id="b"), published(2, 0, feature_spec_version="v2")

    assert standing_of([other, old], FACTS, 0).newest == old
    assert standing_of([other], FACTS, 0).newest == other


def test_recent_are_the_live_runs_of_other_owners_of_the_version_since_a_moment() -> None:
    runs = [
        published(9, 0, mini_batch_id="too early"),
        published(10, 0, mini_batch_id="b"),
        published(11, 0, job_name="k"),
        published(12, 0, mini_batch_id="replaced"),
        published(13, 0, mini_batch_id="replaced"),
        published(14, 0),
        published(15, 0, feature_spec_version="v2"),
    ]

    recent = standing_of(reversed(runs), FACTS, 10).recent

    assert [manifest.published_at for manifest in recent] == [10, 11, 13]


def of_note(manifests: list[Manifest], facts: RunFacts, since: int) -> list[int]:
    entries = entries_of_note(
        map(entry_of, manifests), facts.feature_spec_version, owner_hash(facts.owner), since
    )
    return [entry.published_at for entry in entries]


def test_of_many_old_runs_of_others_only_the_last_few_are_read() -> None:
    runs = [published(moment, 0, mini_batch_id=f"{moment}") for moment in range(100)]

    assert of_note(runs, FACTS, 1000) == [96, 97, 98, 99]


def test_runs_of_the_owner_and_recent_runs_are_read_however_many_there_are() -> None:
    runs = [published(moment, 0, mini_batch_id=f"{moment}") for moment in range(20)]

    assert of_note([published(50, 0), *runs, published(60, 0)], FACTS, 12) == [
        *(50, 12, 13, 14, 15, 16, 17, 18, 19),
        60,
    ]


def test_runs_of_another_version_are_read_only_where_that_of_the_run_has_none() -> None:
    others = [published(moment, 0, feature_spec_version="v2") for moment in range(2, 9)]

    assert of_note(others, FACTS, 0) == [5, 6, 7, 8]
    assert of_note([published(1, 0), *others], FACTS, 0) == [1]


@st.composite
def outputs(draw: st.DrawFn) -> list[Manifest]:
    """Runs of few versions, jobs and mini-batches, some replaced, listed in any order."""
    pick = st.tuples(*(st.sampled_from(pair) for pair in (("v1", "v2"), ("j", "k"), ("mb", "b"))))
    made = [
        published(moment, 0, feature_spec_version=version, job_name=job, mini_batch_id=batch)
        for moment, (version, job, batch) in enumerate(draw(st.lists(pick, max_size=12)))
    ]
    draw(st.randoms(use_true_random=False)).shuffle(made)
    return made


@settings(deadline=None)
@given(outputs(), st.integers(-1, 13))
def test_what_is_of_note_tells_how_an_output_stands_as_all_manifests_do(
    runs: list[Manifest], since: int
) -> None:
    chosen = of_note(runs, FACTS, since)

    noted = [run for run in runs if run.published_at in chosen]

    assert standing_of(noted, FACTS, since) == standing_of(runs, FACTS, since)


# What a run is refused for.


def check(
    *runs: Manifest,
    names: dict[str, str] | None = None,
    overrides: Overrides | None = None,
    **facts: Any,
) -> None:
    """Check a run with such facts against an output of some runs."""
    run = evolve(FACTS, run_id="next", **facts)
    check_standing(standing_of(runs, run, 0), run, names or {}, overrides or Overrides())


def refusal(*runs: Manifest, **how: Any) -> str:
    with pytest.raises((UsageError, SpecError)) as refused:
        check(*runs, **how)
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_a_run_into_an_empty_output_is_let_through() -> None:
    check(derived_id=True, names={"0a": "a.gz"}, inputs=("0a",), meaning={"a": 1})


def test_a_run_beside_another_mini_batch_is_let_through() -> None:
    check(
        published(1, 0, mini_batch_id="b", inputs=("0b",), meaning={"a": 1}),
        derived_id=True,
        names={"0a": "a.gz"},
        inputs=("0a",),
        meaning={"a": 1},
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_output_of_another_project_is_refused_whatever_the_version(version: str) -> None:
    other = published(1, 0, project_name="q", feature_spec_version=version, mini_batch_id="b")

    assert refusal(other, overrides=Overrides(replace=True, count_again=True)) == (
        "project_name: the output belongs to project q, and the JobSpec says p; "
        "give each project an output of its own"
    )


def test_another_meaning_under_one_version_is_refused_by_its_key() -> None:
    other = published(1, 0, mini_batch_id="b", job_name="k", meaning={"a": 1, "delta.x": 2.0})

    assert refusal(other, meaning={"a": 1, "delta.x": 1.0}) == (
        "delta.x: is 1.0 here, but 2.0 in what job k published under feature_spec_version v1; all "
        "jobs of one output must agree in it: set it to the same value, or choose another "
        "feature_spec_version"
    )


def test_another_meaning_under_another_version_is_let_through() -> None:
    check(published(1, 0, feature_spec_version="v2", meaning={"a": 1}), meaning={"a": 2})


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ({"a": 1}, {"a": 2}, "a: is 1 here, but 2 in"),
        ({"a": None}, {"a": ["x"]}, "a: is absent here, but ['x'] in"),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, "a.y: is 2 here, but 3 in"),
        ({"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}, "a.x: is absent here, but 1 in"),
        ({"a": {"x": 1}}, {"a": {}}, "a.x: is 1 here, but absent in"),
        ({"a": {"r": {"h": 1}}}, {"a": {"r": {"h": 2}}}, "a.r.h: is 1 here, but 2 in"),
        ({"a": {"x": 1}}, {"a": 1}, "a: is {'x': 1} here, but 1 in"),
        ({"a": {}}, {"a": {"x": None}}, "a: is {} here, but {'x': None} in"),
    ],
)
def test_the_first_difference_is_named_as_deep_as_it_lies(
    ours: dict[str, Any], theirs: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError) as refused:
        refuse_other_meaning(published(1, 0, meaning=theirs), evolve(FACTS, meaning=ours))

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 1, "c": 3}),
        ({"a": [1]}, {"a": [1]}),
    ],
)
def test_a_key_that_only_one_of_the_two_has_is_not_compared(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    refuse_other_meaning(published(1, 0, meaning=theirs), evolve(FACTS, meaning=ours))


ADVICE = (
    "; give --mini-batch-id to keep both, or --replace to put this run in the place of that one"
)
DERIVED = "mini-batch mb: this id was made from the address of the input, and run run published it "


def test_a_derived_id_that_was_published_from_files_that_this_input_lacks_is_refused() -> None:
    former = published(1, 0, inputs=("0a", "0b", "0c"))

    assert refusal(former, derived_id=True, inputs=("0b", "0d")) == (
        f"{DERIVED}from files that this input lacks (2 of 3){ADVICE}"
    )


@pytest.mark.parametrize("inputs", [("0a", "0b"), ("0a", "0b", "0c")])
def test_a_derived_id_is_run_again_over_the_same_files_and_more(inputs: tuple[str, ...]) -> None:
    check(published(1, 0, inputs=("0a", "0b")), derived_id=True, inputs=inputs)


@pytest.mark.parametrize(
    ("former", "span"),
    [
        ((0, 30), (15, 45)),
        ((0, 30), (0, 15)),
        ((0, 30), (15, 30)),
        ((0, 30), (45, 60)),
    ],
)
def test_a_derived_id_that_was_published_for_a_span_that_this_run_does_not_cover_is_refused(
    former: tuple[int, int], span: tuple[int, int]
) -> None:
    message = refusal(published(1, bounds=bounds(*former)), derived_id=True, bounds=bounds(*span))

    assert message == (
        f"{DERIVED}for 2025-03-01T10:00:00Z to 2025-03-01T10:30:00Z, which this run does not "
        f"cover{ADVICE}"
    )


@pytest.mark.parametrize("span", [None, bounds(0, 30), bounds(-15, 30), bounds(0, 45)])
def test_a_derived_id_is_run_again_for_the_same_span_a_longer_one_or_all(span: Any) -> None:
    # A late contribution lies outside of the span, and does not count as a part of it.
    former = published(1, -60, 0, bounds=bounds(0, 30))

    check(former, derived_id=True, bounds=span)


@pytest.mark.parametrize("span", [(15, 60), (0, 30), (60, 90), (-30, 0)])
def test_a_derived_id_that_was_published_without_bounds_is_refused_for_less_than_its_slices(
    span: tuple[int, int],
) -> None:
    message = refusal(published(1, 0, 30), derived_id=True, bounds=bounds(*span))

    assert message == (
        f"{DERIVED}for the slices dt=2025-03-01/hh=10/mm=00 to dt=2025-03-01/hh=10/mm=30, which "
        f"this run does not cover{ADVICE}"
    )


@pytest.mark.parametrize("span", [(0, 45), (-15, 60)])
def test_a_derived_id_that_was_published_without_bounds_is_run_again_for_all_its_slices(
    span: tuple[int, int],
) -> None:
    check(published(1, 0, 30), derived_id=True, bounds=bounds(*span))


def test_a_derived_id_that_was_published_without_bounds_and_rows_is_run_again() -> None:
    check(published(1), derived_id=True, bounds=bounds(0, 15))


OTHER_FILES = published(1, 0, inputs=("0a",), bounds=bounds(0, 30))


def test_an_id_that_was_given_replaces_whatever_was_published_under_it() -> None:
    check(OTHER_FILES, inputs=("0b",), bounds=bounds(0, 15))


def test_a_derived_id_replaces_other_files_and_spans_where_the_user_says_so() -> None:
    run: dict[str, Any] = {"derived_id": True, "inputs": ("0b",), "bounds": bounds(0, 15)}

    check(OTHER_FILES, overrides=Overrides(replace=True), **run)
    assert DERIVED in refusal(OTHER_FILES, overrides=Overrides(count_again=True), **run)


NAMES = {"0a": "in/a.gz", "0b": "in/b\\n.gz", "0c": "in/c.gz"}


def test_files_that_another_mini_batch_holds_are_refused_by_the_name_of_one() -> None:
    other = published(1, 0, mini_batch_id="b", job_name="k", inputs=("0a", "ff"))

    assert refusal(other, names=NAMES) == (
        "input in/a.gz: mini-batch b of job k holds the same bytes already, and their sessions would "
        "count twice; leave them out, or give --count-again if they are other sessions"
    )


def test_of_several_files_that_another_holds_the_first_is_named_and_the_others_are_counted() -> (
    None
):
    other = published(1, 0, mini_batch_id="b", inputs=("0c", "0b", "0a"))

    assert refusal(other, names=NAMES).startswith("input in/a.gz (and 2 more files): mini-batch b")


def test_files_that_another_mini_batch_holds_are_counted_again_where_the_user_says_so() -> None:
    other = published(1, 0, mini_batch_id="b", inputs=("0a",))

    check(other, names=NAMES, overrides=Overrides(count_again=True))
    assert "the same bytes" in refusal(other, names=NAMES, overrides=Overrides(replace=True))


def test_files_that_a_replaced_run_held_are_not_counted_twice() -> None:
    replaced = published(1, 0, mini_batch_id="b", inputs=("0a",))

    check(replaced, published(2, 0, mini_batch_id="b", inputs=("0d",)), names=NAMES)


def test_the_files_of_the_run_that_is_replaced_are_not_compared() -> None:
    check(published(1, 0, inputs=("0a",)), names=NAMES)


def test_files_of_runs_long_ago_are_not_compared() -> None:
    run = evolve(FACTS, inputs=("0a",))
    old = published(after_ten(0), 0, mini_batch_id="b", inputs=("0a",))

    check_standing(standing_of([old], run, after_ten(1)), run, NAMES, Overrides())


@pytest.mark.parametrize("overrides", [Overrides(), Overrides(replace=True, count_again=True)])
def test_a_run_of_a_mini_batch_that_was_compacted_is_refused_whatever_the_user_allows(
    overrides: Overrides,
) -> None:
    standing = standing_of([], FACTS, 0, iter(["2025-03-01"]))

    assert standing == Standing(compacted=("2025-03-01",))
    with pytest.raises(UsageError, match=r"mini-batch mb of job j: .* 2025-03-01 was compacted"):
        check_standing(standing, FACTS, {}, overrides)


def test_files_of_runs_that_a_compacted_day_holds_whole_are_refused_too() -> None:
    run = published(1, 0, mini_batch_id="b", inputs=("0a",))
    [day] = days_to_compact([run], datetime(2025, 3, 2, tzinfo=UTC))

    assert refusal(compacted(2, day), names=NAMES).startswith(
        "input in/a.gz: mini-batch b of job j"
    )


# Rejected records that were run again.


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"mini_batch_id": "mb.replay"}, True),
        ({"mini_batch_id": "mb.replay", "job_name": "k"}, False),
        ({"mini_batch_id": "mb.replay", "feature_spec_version": "v2"}, False),
        ({"mini_batch_id": "other.replay"}, False),
    ],
)
def test_a_run_of_a_mini_batch_whose_rejected_records_were_run_again_is_told_so(
    other: dict[str, str], told: bool
) -> None:
    standing = standing_of([published(1, 0), published(2, 0, **other)], FACTS, 0)

    notice = stale_replay(standing, FACTS)

    assert (notice is not None) is told
    if notice is not None:
        assert notice.startswith("mini-batch mb.replay holds records that mb rejected before;")


@pytest.mark.parametrize(
    ("published_read", "own_read", "message"),
    [
        (
            ReadFacts(),
            None,
            r"^output: holds features \(of job j\); publish deltas to an output of",
        ),
        (
            None,
            ReadFacts(),
            r"^output: holds deltas \(of job j\); publish features to an output of",
        ),
    ],
)
def test_deltas_are_not_published_among_features_nor_the_reverse(
    published_read: ReadFacts | None, own_read: ReadFacts | None, message: str
) -> None:
    newest = published(1, 0, read=published_read)
    facts = evolve(FACTS, read=own_read)

    with pytest.raises(UsageError, match=message):
        check_standing(Standing(newest=newest), facts, {}, Overrides())

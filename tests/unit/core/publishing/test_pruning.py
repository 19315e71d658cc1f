"""A pruning removes what lies before a moment, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from attrs import evolve

from ndr_core.errors import UsageError
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.pruning import (
    PrunedError,
    Pruning,
    Removed,
    check_moment,
    entries_to_prune,
    pruning_of,
    without_pruned,
)
from ndr_core.publishing.sink import Publication
from ndr_core.times import TIME_LIMIT_US, now_us, to_datetime
from tests.unit.core.publishing.histories import DAY
from tests.unit.core.publishing.makers import (
    FACTS,
    after_ten,
    bounds,
    compacted,
    folder,
    published,
)

MIDNIGHT = 14 * 60
"""Minutes after 10:00 at which the day ends."""
REPORT = "quality/feature_spec_version=v1/job_name=j/mini_batch_id=mb/report-000000000001.json"


def with_report(run: Manifest) -> Manifest:
    return evolve(run, files=(*run.files, OutputFile(REPORT, 0, 10, "00")))


def days_of(*runs: Manifest) -> list[Manifest]:
    """The compactions of all days of some runs."""
    known, made = list(runs), list[Manifest]()
    while days := days_to_compact(known, to_datetime(after_ten(9 * DAY))):
        made.append(compacted(100 + len(made), days[0]))
        known.append(made[-1])
    return made


def pruning(*runs: Manifest, minutes: int, known: Mapping[str, int] | None = None) -> Pruning:
    """The pruning up to so many minutes after 10:00."""
    return pruning_of(runs, Pruned(known or {}), after_ten(minutes))


def paths(files: Iterable[OutputFile]) -> list[str]:
    return sorted(file.path for file in files)


# Which manifests are looked at.


def chosen(*runs: Manifest, minutes: int) -> list[int]:
    """The moments of those that are read to prune up to so many minutes after 10:00."""
    found = entries_to_prune(map(entry_of, runs), after_ten(minutes))
    return [entry.published_at for entry in found]


def test_runs_with_slices_up_to_the_end_of_the_day_are_looked_at_and_those_of_later_days_are_not() -> (
    None
):
    minutes = (-DAY, 0, MIDNIGHT - 1, MIDNIGHT)
    runs = [published(moment, one, mini_batch_id=f"{one}") for moment, one in enumerate(minutes)]

    assert chosen(*runs, minutes=60) == [0, 1, 2]
    assert chosen(*runs, minutes=MIDNIGHT - 1) == [0, 1, 2]
    assert chosen(*runs, minutes=MIDNIGHT) == [0, 1, 2, 3]


def test_with_a_run_that_holds_older_slices_all_others_of_its_mini_batch_are_looked_at() -> None:
    runs = [published(1, 0), published(2, DAY), published(3)]

    assert chosen(*runs, minutes=60) == [1, 2, 3]


def test_runs_without_rows_and_span_are_looked_at_when_they_were_published_before() -> None:
    runs = [published(after_ten(minutes), mini_batch_id=f"{minutes}") for minutes in (59, 60, 61)]

    assert chosen(*runs, minutes=60) == [after_ten(59)]


# What is removed.


def test_up_to_the_slice_in_which_the_moment_lies_all_is_pruned() -> None:
    run = published(1, 0)

    assert pruning(run, minutes=29).pruned.firsts == {"v1": after_ten(15)}
    assert pruning(run, minutes=30).pruned.firsts == {"v1": after_ten(30)}


def test_slices_are_as_long_as_the_runs_of_each_version_say() -> None:
    short = published(1, 0, meaning={"delta.slice_minutes": 5})
    long = published(1, 0, meaning={"delta.slice_minutes": 60}, feature_spec_version="v2")

    firsts = pruning(short, long, minutes=29).pruned.firsts

    assert firsts == {"v1": after_ten(25), "v2": after_ten(0)}


def test_a_marker_never_goes_back_and_those_of_other_versions_stay() -> None:
    known = {"v1": after_ten(45), "v2": 0}

    assert pruning(published(1, 0), minutes=30, known=known).pruned.firsts == known


def test_of_a_run_with_older_and_newer_slices_only_the_files_of_the_older_ones_go() -> None:
    run = with_report(published(1, 0, 15, 30))

    found = pruning(run, minutes=30)

    assert paths(found.files) == paths(run.files[:2])
    assert not any(found.manifests)


def test_a_run_with_older_slices_only_goes_with_all_its_files() -> None:
    run = with_report(published(1, 0, 15))

    found = pruning(run, minutes=30)

    assert paths(found.files) == paths(run.files)
    assert [one for group in found.manifests for one in group] == [run]


def test_a_replaced_run_goes_before_the_one_that_replaced_it_and_would_count_again_else() -> None:
    old, new = published(1, 0, 15), published(2, 0)

    found = pruning(new, old, minutes=30)

    assert found.manifests == ((old,), (), (new,), ())
    assert paths(found.files) == paths((*old.files, *new.files))


def test_what_a_replaced_run_has_left_goes_though_the_one_that_replaced_it_stays() -> None:
    old, new = published(1, 0, 15), published(2, 0, 15)

    found = pruning(old, new, minutes=15)

    assert found.manifests == ((old,), (), (), ())
    assert paths(found.files) == paths((*old.files, new.files[0]))


def test_a_run_that_a_compacted_day_holds_whole_goes_before_the_day() -> None:
    old, run = published(1, 0), published(2, 0)
    [day] = days_of(run)

    found = pruning(day, run, old, minutes=MIDNIGHT)

    assert found.manifests == ((old,), (run,), (), (day,))
    assert paths(found.files) == paths((*old.files, *run.files, *day.files))


def test_what_a_compacted_day_holds_of_a_run_stays_with_it() -> None:
    run = with_report(published(1, 0, 15))
    [day] = days_of(run)

    found = pruning(day, run, minutes=15)

    assert found.manifests == ((), (run,), (), ())
    assert paths(found.files) == paths((*run.files[:2], day.files[0]))
    assert REPORT in paths(day.files)


def test_what_was_set_aside_of_a_run_goes_when_its_slices_go_from_a_compacted_day() -> None:
    run, new = with_report(published(1, 0)), published(2, 15, mini_batch_id="b")
    [day] = days_of(run, new)

    found = pruning(day, minutes=15)

    assert found.manifests == ((), (), (), ())
    assert paths(found.files) == [day.files[0].path, REPORT]


def test_of_nothing_nothing_is_removed() -> None:
    assert pruning(minutes=30) == Pruning(Pruned(), (), ((), (), (), ()))


def test_for_each_compacted_day_that_goes_the_mini_batches_are_named_that_it_holds_some_of() -> (
    None
):
    both, empty = published(1, 0, DAY), published(2, mini_batch_id="b", bounds=bounds(0, 15))
    first, second = days_of(both, empty)

    assert pruning(first, second, minutes=MIDNIGHT).hints == {
        ("v1", "2025-03-01"): {both.owner, empty.owner}
    }
    assert pruning(first, second, both, minutes=MIDNIGHT - 15).hints == {}


def test_what_is_there_of_a_pruning_is_counted() -> None:
    run, rerun = with_report(published(1, 0, 15)), published(2, 0, 15, 30)
    found = pruning(run, rerun, minutes=30)
    gone, *there = [file.path for file in found.files]

    removed = Removed.of(found, dict.fromkeys(there, 7), failed=3)

    assert gone in paths(run.files[:1])
    assert removed == Removed(
        firsts={"v1": after_ten(30)}, slices=2, files=4, bytes=28, runs=1, failed=3
    )


def test_a_slice_with_files_of_several_tables_and_runs_is_counted_once() -> None:
    runs = [published(1, 0), published(2, 0, mini_batch_id="b"), published(3, 0, table="pair")]
    others = [published(4, 0, feature_spec_version="v2")]
    found = pruning(*runs, *others, minutes=15)

    assert Removed.of(found, {file.path: 1 for file in found.files}, 0).slices == 2


def test_a_moment_to_come_is_refused_and_one_that_has_passed_is_not() -> None:
    check_moment(now_us())

    with pytest.raises(UsageError) as refused:
        check_moment(TIME_LIMIT_US)

    assert str(refused.value) == (
        "before: 2112-09-17T23:53:47.370496Z is yet to come; give a time that has passed, such as that of 90 days ago"
    )


# Runs that come late.


def publication(*minutes: int) -> Publication:
    """A publication of five rows in each of two tables of the slices that begin so many minutes after 10:00."""
    names = [f"{folder(one, table)}/x" for one in minutes for table in ("delta", "pair")]
    return Publication(FACTS, (), dict.fromkeys(names, 5))


OLD = (
    "slices with {} rows are older than 2025-03-01T10:30:00Z, up to which `ndr prune` has removed all of "
    "feature_spec_version v1 (marker in _pruned)"
)


def published_late(what: Publication) -> tuple[Publication, list[str]]:
    """What is published of it when all before 10:30 was pruned, and what is said of that."""
    notices: list[str] = []
    return without_pruned(what, Pruned({"v1": after_ten(30)}), notices.append), notices


@pytest.mark.parametrize("what", [publication(30, 45), publication()])
def test_a_publication_without_older_slices_is_published_as_it_is(what: Publication) -> None:
    assert published_late(what) == (what, [])


def test_of_a_publication_with_older_slices_the_newer_ones_are_published_and_that_is_said() -> None:
    found, notices = published_late(publication(0, 15, 30, 45))

    assert found == publication(30, 45)
    assert notices == [f"2 {OLD.format(20)}; they are not published"]


def test_a_publication_with_older_slices_only_is_refused() -> None:
    with pytest.raises(PrunedError) as refused:
        published_late(publication(0))

    assert str(refused.value) == (
        f"mini-batch 'mb': 1 {OLD.format(10)}, and it has no others; leave it out, or choose another "
        "feature_spec_version"
    )

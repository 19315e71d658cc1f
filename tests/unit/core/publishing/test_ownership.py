"""Of each mini-batch the run that was published last counts, whole, and no run touches another mini-batch's."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.ownership import last_live, live, live_files, live_manifests, superseded
from ndr_core.publishing.sink import Publication
from tests.unit.core.publishing.makers import FACTS, compacted, folder, published


def paths(*manifests: Manifest) -> list[str]:
    return [file.path for file in live_files(manifests)]


def files_of(*manifests: Manifest) -> list[str]:
    return sorted(file.path for manifest in manifests for file in manifest.files)


def test_contributions_of_two_mini_batches_to_one_slice_add() -> None:
    one, other = published(1, 0, mini_batch_id="a"), published(2, 0, mini_batch_id="b")

    assert live_manifests([other, one]) == [one, other]
    assert paths(one, other) == files_of(one, other)


@pytest.mark.parametrize("part", ["feature_spec_version", "job_name", "mini_batch_id"])
def test_runs_that_differ_in_version_job_or_mini_batch_do_not_replace_each_other(part: str) -> None:
    one, other = published(1, 0, **{part: "a"}), published(2, 0, **{part: "b"})

    assert live_manifests([one, other]) == [one, other]


def test_a_rerun_of_a_mini_batch_replaces_its_former_run() -> None:
    old, new = published(1, 0, 15), published(2, 0, 15, run_id="again")

    assert live_manifests([new, old]) == [new]
    assert paths(new, old) == files_of(new)


def test_a_rerun_with_fewer_slices_leaves_nothing_of_its_former_run_in_the_others() -> None:
    old, new = published(1, 0, 15, 30), published(2, 15)

    assert paths(old, new) == files_of(new)


def test_a_rerun_without_rows_leaves_nothing_of_its_former_run() -> None:
    old, new = published(1, 0), published(2)

    assert paths(old, new) == []
    assert live_manifests([old, new]) == [new]


def test_of_two_runs_at_one_moment_all_readers_count_the_one_with_the_higher_token() -> None:
    one, other = published(1, 0, token="0" * 12), published(1, 0, token="1" * 12)

    assert live_manifests([one, other]) == live_manifests([other, one]) == [other]
    assert last_live([one, other]) == last_live([other, one]) == other


def test_moments_of_publication_are_compared_as_numbers() -> None:
    old, new = published(9, 0), published(10, 0)

    assert live_manifests([new, old]) == [new]


def test_live_manifests_are_in_the_order_of_publication() -> None:
    runs = [published(moment, 0, mini_batch_id=name) for moment, name in ((3, "a"), (1, "b"))]

    assert [manifest.published_at for manifest in live_manifests(runs)] == [1, 3]


def test_live_files_are_sorted_by_path() -> None:
    one, other = published(2, 0, 30, mini_batch_id="a"), published(1, 15, mini_batch_id="b")

    assert [path.rpartition("/")[0] for path in paths(other, one)] == list(map(folder, (0, 15, 30)))


def test_the_files_of_runs_that_were_replaced_are_superseded_and_the_runs_spent() -> None:
    runs = [published(1, 0), published(2, 0, 15), published(3, 0)]

    stale, spent = superseded([runs[2], runs[0], runs[1]])

    assert sorted(file.path for file in stale) == files_of(*runs[:2])
    assert sorted(spent, key=lambda one: one.order) == runs[:2]


def test_a_live_run_without_files_is_not_spent() -> None:
    old, new = published(1, 0), published(2)

    stale, spent = superseded([old, new])

    assert [file.path for file in stale] == files_of(old)
    assert spent == [old]


def test_a_live_file_is_never_stale_whoever_else_names_it() -> None:
    new = published(2, 0)
    old = evolve(published(1, 0), files=(*published(1, 0).files, *new.files))

    stale, spent = superseded([old, new])

    assert [file.path for file in stale] == files_of(published(1, 0))
    assert spent == [old]


def test_of_no_runs_nothing_is_live_and_nothing_superseded() -> None:
    assert live_manifests([]) == []
    assert live_files([]) == []
    assert last_live([]) is None
    assert superseded([]) == ([], [])


def test_what_a_compacted_day_took_over_counts_in_its_files_and_no_more_in_those_of_the_run() -> (
    None
):
    run = published(1, 0, 24 * 60)
    first, _ = days_to_compact([run], datetime(2025, 3, 3, tzinfo=UTC))
    day = compacted(2, first)

    found = live([day, run])

    assert found.manifests == (run, day)
    assert found.files(run) == (run.files[1],)
    assert found.files(day) == day.files
    assert superseded([day, run]) == ([run.files[0]], [])


def test_a_run_that_a_compacted_day_holds_whole_is_spent() -> None:
    run = published(1, 0)
    [only] = days_to_compact([run], datetime(2025, 3, 3, tzinfo=UTC))
    day = compacted(2, only)

    assert live_manifests([run, day]) == [day]
    assert superseded([run, day]) == (list(run.files), [run])


# Any sequence of publications, by clocks that may go back.


@frozen
class Step:
    """A run of a mini-batch, by a clock that says `moment`, with rows in some slices."""

    owner: tuple[str, str, str]
    moment: int
    slices: frozenset[int]


OWNERS = [("v1", "j", "a"), ("v1", "j", "b"), ("v1", "k", "a"), ("v2", "j", "a")]
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(OWNERS),
        st.integers(1, 4),
        st.frozensets(st.sampled_from([0, 15, 30]), max_size=3),
    ),
    max_size=8,
)


def publish(step: Step, number: int, known: list[Manifest]) -> Manifest:
    """Make the manifest of a run as sinks do: in place of what its owner published before."""
    version, job, batch = step.owner
    facts = evolve(FACTS, feature_spec_version=version, job_name=job, mini_batch_id=batch)
    # Of runs at one moment, a later one may well have a lower token.
    token = f"{random.Random(number).getrandbits(48):012x}"
    files = [
        OutputFile(f"{folder(one, version=version)}/part-00000-{token}.parquet", 1, 10, "00")
        for one in step.slices
    ]
    former = last_live(one for one in known if one.owner == facts.owner)
    return Publication(facts, (), {}).manifest(step.moment, token, files, former)


@settings(deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_live_is_the_last_run_of_each_owner_whole_in_whatever_order_manifests_are_listed(
    steps: list[Step], order: random.Random
) -> None:
    known: list[Manifest] = []
    last: dict[tuple[str, str, str], Manifest] = {}
    for number, step in enumerate(steps):
        last[step.owner] = publish(step, number, known)
        known.append(last[step.owner])
    expected = files_of(*last.values())

    order.shuffle(known)
    stale, spent = superseded(iter(known))

    assert paths(*known) == expected
    assert {one.token for one in live_manifests(known)} == {one.token for one in last.values()}
    assert sorted([*expected, *(file.path for file in stale)]) == files_of(*known)
    assert len(spent) == len(known) - len(last)
    for owner, manifest in last.items():
        assert {file.slice for file in live_files(known) if file in manifest.files} == {
            folder(one).split("/", 2)[2] for one in _last_step(steps, owner).slices
        }


def _last_step(steps: list[Step], owner: tuple[str, str, str]) -> Step:
    return [step for step in steps if step.owner == owner][-1]


@settings(deadline=None)
@given(STEPS)
def test_deleting_what_each_run_replaces_leaves_what_is_live_of_all(steps: list[Step]) -> None:
    every: list[Manifest] = []
    kept: list[Manifest] = []
    there: set[str] = set()
    for number, step in enumerate(steps):
        new = publish(step, number, kept)
        every.append(new)
        there |= {file.path for file in new.files}
        # A sink looks at the runs of its own owner only.
        stale, spent = superseded(one for one in [*kept, new] if one.owner == new.owner)
        there -= {file.path for file in stale}
        kept = [one for one in [*kept, new] if one not in spent]

        assert sorted(there) == paths(*every)
        assert live_manifests(kept) == live_manifests(every)
        assert len(kept) == len({one.owner for one in every})

"""Whatever is published and compacted in whatever order, what is live is the same as without any compaction."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.compaction import check_unchanged, compacted_days, days_to_compact
from ndr_core.publishing.manifest import Manifest, OutputFile, RunFacts
from ndr_core.publishing.ownership import last_live, live, live_files, live_manifests, superseded
from tests.unit.core.publishing.makers import bounds, compacted, published

DAY = 24 * 60
"""Minutes."""
BEFORE = datetime(2025, 3, 4, tzinfo=UTC)


@frozen
class Publishing:
    """A run of a mini-batch with rows in some slices."""

    owner: tuple[str, str]
    slices: frozenset[int]


@frozen
class Compacting:
    """The first days before the end of a day are compacted; then what no longer counts is deleted, or not."""

    end: int
    count: int
    sweeps: bool


OWNERS = [("v1", "a"), ("v1", "b"), ("v1", "c"), ("v2", "a")]
SLICES = [0, 15, DAY, DAY + 15, 2 * DAY]
STEPS = st.lists(
    st.builds(
        Publishing,
        st.sampled_from(OWNERS),
        st.frozensets(st.sampled_from(SLICES), max_size=4),
    )
    | st.builds(Compacting, st.integers(1, 3), st.integers(1, 6), st.booleans()),
    max_size=10,
)


def run_of(step: Publishing, moment: int) -> Manifest:
    """The run: with a span, an own content, and a file in the quarantine."""
    version, batch = step.owner
    span = bounds(0, 60)
    run = published(
        moment, *step.slices, feature_spec_version=version, mini_batch_id=batch, bounds=span
    )
    placed = tuple(evolve(file, sha256=f"{moment}") for file in run.files)
    ones = tuple(evolve(one, digest=f"{moment}") for one in run.contributions)
    place = f"quarantine/feature_spec_version={version}/job_name=j/mini_batch_id={batch}"
    rejected = OutputFile(f"{place}/rejected-00000-{run.token}.json.gz", 1, 10, "00")
    return evolve(run, files=(*placed, rejected), contributions=ones)


def contributed(manifests: list[Manifest]) -> list[tuple[str, tuple[str, str, str], str]]:
    """What counts: version, key and digest of each contribution."""
    found = live(manifests)
    return sorted(
        (manifest.facts.feature_spec_version, one.key, one.digest)
        for manifest in found.manifests
        for one in manifest.contributions
        if manifest.day or (manifest.facts.feature_spec_version, *one.key) not in found.taken
    )


def rows(manifests: list[Manifest]) -> dict[str, int]:
    """The live rows of each folder of a slice, and the records of each file that was set aside."""
    counted: dict[str, int] = {}
    for file in live_files(manifests):
        place = file.path if file.slice is None else file.folder
        counted[place] = counted.get(place, 0) + file.rows
    return counted


def compact(known: list[Manifest], step: Compacting, moment: int) -> list[Manifest]:
    before = datetime(2025, 3, 1 + step.end, tzinfo=UTC)
    for day in days_to_compact(known, before)[: step.count]:
        check_unchanged(day, known)
        known = [*known, compacted(moment, day, token=f"{moment:x}{day.date[-2:]}{day.version}")]
    if step.sweeps:
        _, spent = superseded(known)
        known = [manifest for manifest in known if manifest not in spent]
    return known


@settings(deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_what_is_live_is_the_same_as_without_compactions_in_whatever_order_manifests_are_listed(
    steps: list[Publishing | Compacting], order: random.Random
) -> None:
    known: list[Manifest] = []
    plain: list[Manifest] = []
    for moment, step in enumerate(steps, 1):
        order.shuffle(known)
        if isinstance(step, Compacting):
            known = compact(known, step, moment)
        else:
            run = run_of(step, moment)
            if not compacted_days(live_manifests(known), run.facts):
                known.append(run)
                plain.append(run)
        assert contributed(known) == contributed(plain)
        assert rows(known) == rows(plain)

    known = compact(known, Compacting(3, len(known) * 3, sweeps=True), len(steps) + 1)

    assert days_to_compact(known, BEFORE) == []
    assert all(manifest.day for manifest in known)
    assert contributed(known) == contributed(plain)
    assert rows(known) == rows(plain)


@settings(deadline=None)
@given(STEPS)
def test_a_mini_batch_is_refused_from_when_a_day_holds_anything_of_it(
    steps: list[Publishing | Compacting],
) -> None:
    known: list[Manifest] = []
    for moment, step in enumerate(steps, 1):
        if isinstance(step, Compacting):
            known = compact(known, step, moment)
        elif not compacted_days(known, run_of(step, moment).facts):
            known.append(run_of(step, moment))
            assert last_live(known) == known[-1]
            assert set(known[-1].files) <= set(live_files(known))
        for manifest in [one for one in known if one.day]:
            held: list[RunFacts] = [run.facts for run in manifest.runs]
            assert all(manifest.day in compacted_days(known, facts) for facts in held)

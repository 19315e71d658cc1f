"""Whatever is published and compacted in whatever order, what is live is the same as without any compaction."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.compaction import compacted_days, days_to_compact
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.ownership import last_live, live, live_files, live_manifests
from tests.unit.core.publishing.histories import (
    STEPS,
    Compacting,
    Publishing,
    compact,
    rows,
    run_of,
)

BEFORE = datetime(2025, 3, 4, tzinfo=UTC)


def contributed(manifests: list[Manifest]) -> list[tuple[str, tuple[str, str, str], str]]:
    """What counts: version, key and digest of each contribution."""
    found = live(manifests)
    return sorted(
        (manifest.facts.feature_spec_version, one.key, one.digest)
        for manifest in found.manifests
        for one in manifest.contributions
        if manifest.day or (manifest.facts.feature_spec_version, *one.key) not in found.taken
    )


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

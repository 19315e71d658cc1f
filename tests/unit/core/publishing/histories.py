"""Histories of outputs: what is published and compacted, in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve, frozen
from hypothesis import strategies as st

from ndr_core.publishing.compaction import check_unchanged, days_to_compact
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.ownership import live_files, superseded
from tests.unit.core.publishing.makers import bounds, compacted, published

DAY = 24 * 60
"""Minutes."""


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
SLICES = [0, 15, 10 * 60, DAY, DAY + 15, 2 * DAY]
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


def rows(manifests: list[Manifest]) -> dict[str, int]:
    """The live rows of each folder of a slice, and the records of each file that was set aside."""
    counted: dict[str, int] = {}
    for file in live_files(manifests):
        place = file.path if file.slice is None else file.folder
        counted[place] = counted.get(place, 0) + file.rows
    return counted


def compact(known: list[Manifest], step: Compacting, moment: int) -> list[Manifest]:
    """The manifests when days were compacted."""
    before = datetime(2025, 3, 1 + step.end, tzinfo=UTC)
    for number, day in enumerate(days_to_compact(known, before)[: step.count]):
        check_unchanged(day, known)
        known = [*known, compacted(moment, day, token=f"{moment:06x}{number:06x}")]
    if step.sweeps:
        _, spent = superseded(known)
        known = [manifest for manifest in known if manifest not in spent]
    return known

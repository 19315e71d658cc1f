"""Which windows are to be compared after a mini-batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, evolve, field

from ndr_core.correlations.due import due_after
from ndr_core.correlations.spec import FgCSpec, fg_c_spec_of
from ndr_core.features.lineage import read_as
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.read_facts import ReadContribution, ReadFacts
from ndr_core.tables.slices import slice_place
from ndr_core.times import iso_text
from ndr_core.windows.job import anchor_name
from ndr_core.windows.spec import FgASpec
from ndr_core.windows.spec_reader import parse_fg_a_spec
from tests.unit.core.features.world import World, at


def windows_spec(**more: Any) -> FgASpec:
    labels = {"labels": {"w_15m": "15m", "w_30m": "15m"}}
    return parse_fg_a_spec({"kind": "fg_a", "project_name": "test", "windows": labels, **more})


@define
class Published:
    """Deltas of one mini-batch, of the quarter of an hour from 10:00 on, and runs of FG-A and FG-C."""

    windows: FgASpec = field(factory=windows_spec)
    world: World = field(factory=World)

    def __attrs_post_init__(self) -> None:
        self.world.contribute("mb", 40)

    @property
    def spec(self) -> FgCSpec:
        return fg_c_spec_of(self.windows)

    def build(self, *quarters: int, labels: Iterable[str] = ("w_15m",)) -> None:
        """Publish windows that end so many quarters of an hour after midnight."""
        for quarter in quarters:
            self._publish(self.windows.job_name, quarter, ReadFacts(built=tuple(labels)))

    def compare(self, *quarters: int) -> None:
        """Publish correlations of the windows that end then, as they are published."""
        for quarter in quarters:
            name = anchor_name(at(quarter))
            (run,) = (
                one
                for one in self.world.features.manifests(None, None)
                if (one.facts.job_name, one.facts.mini_batch_id) == (self.windows.job_name, name)
            )
            read = (read_as(run, slice_place(at(quarter))),)
            self._publish(self.spec.job_name, quarter, ReadFacts(contributions=read))

    def due(self, spec: FgCSpec | None = None, batch: str = "mb") -> list[str]:
        """The clock times of the ends that are due."""
        outputs = (self.world.deltas, self.world.features)
        found = due_after(spec or self.spec, self.windows, *outputs, "delta_builder", batch)
        return [iso_text(end)[11:16] for end in found]

    def _publish(self, job: str, quarter: int, read: ReadFacts) -> None:
        runs = self.world.features.runs
        number = len(runs) + 1
        name = anchor_name(at(quarter))
        facts = RunFacts("test", job, "v1", "00", name, f"run-{number}", "memory", "test")
        former = [one for one in runs if one.owner == facts.owner]
        for one in former:
            runs.remove(one)
        runs.append(Manifest(number, f"{number:012x}", evolve(facts, read=read), {}, (), ()))


def test_windows_that_a_mini_batch_touches_and_that_are_built_are_due() -> None:
    published = Published()
    published.build(40, 41, 42, 43)

    assert published.due() == ["10:15", "10:30"], "10:00 ends before it, 10:45 begins after it"


def test_windows_that_are_not_built_are_not_due() -> None:
    published = Published()
    published.build(42)

    assert published.due() == ["10:30"]


def test_what_is_compared_is_not_due_again() -> None:
    published = Published()
    published.build(41, 42)
    published.compare(41)

    assert published.due() == ["10:30"]


def test_windows_that_were_built_again_with_another_one_are_due_again() -> None:
    published = Published()
    published.build(41)
    published.compare(41)

    published.build(41, labels=("w_15m", "w_30m"))

    assert published.due() == ["10:15"]


def test_windows_that_were_built_again_of_the_same_are_not_due() -> None:
    published = Published()
    published.build(41)
    published.compare(41)

    published.build(41)

    assert published.due() == []


def test_windows_that_are_not_asked_for_are_not_due() -> None:
    published = Published()
    published.build(41, labels=("w_30m",))
    labels = published.spec.windows.labels
    quarters = evolve(published.spec.windows, labels={"w_15m": labels["w_15m"]})
    only = evolve(published.spec, windows=quarters)

    assert published.due() == ["10:15"]
    assert published.due(only) == []


def test_windows_of_another_job_are_not_due() -> None:
    published = Published()
    published.build(41)
    published.windows = windows_spec(job_name="other")

    assert published.due() == []


def test_a_mini_batch_that_is_not_published_makes_nothing_due() -> None:
    published = Published()
    published.build(41)

    assert published.due(batch="other") == []


def test_what_a_run_of_correlations_read_is_known_by_its_place_and_digest() -> None:
    published = Published()
    published.build(41)
    published.compare(41)

    (run,) = (one for one in published.world.features.runs if one.facts.job_name == "fg_c")
    assert run.facts.read is not None
    (read,) = run.facts.read.contributions
    assert isinstance(read, ReadContribution)
    assert read.slice == "dt=2025-03-01/hh=10/mm=15"

"""Days are compacted one after the other, and anew where runs are published into them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from attrs import define, evolve, field

from ndr_core.errors import NdrError, UsageError
from ndr_core.publishing.compact_job import Compactor
from ndr_core.publishing.compaction import Compaction, Day, DayChangedError, check_unchanged
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.ownership import live_files, live_manifests
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.publishing.sink import Sink
from tests.unit.core.publishing.makers import compacted, published

DAY = 24 * 60
BEFORE = datetime(2025, 3, 4, tzinfo=UTC)
ONE = published(1, 0, DAY, mini_batch_id="a", meaning={"x": 1})


@define
class MemoryOutput:
    """Output, sink and staging in one. `meanwhile`: what is published while each day is written.

    `write_errors`: what fails each writing, then; the others go well.
    """

    known: list[Manifest]
    meanwhile: list[list[Manifest]] = field(factory=list)
    events: list[str] = field(factory=list)
    facts: list[RunFacts] = field(factory=list)
    write_errors: list[Exception] = field(factory=list)
    close_error: Exception | None = None
    asked: list[tuple[datetime | None, datetime | None]] = field(factory=list)
    root: str = "memory:/out"

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        self.asked.append((since, until))
        return live_manifests(self.known)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        raise AssertionError(f"not asked for {paths}")

    def open_staging(
        self, run_id: str, tables: Iterable[Any], _notice: Callable[[str], None]
    ) -> MemoryOutput:
        assert (run_id, tuple(tables)) == ("run-1", ())
        return self

    def write(self, day: Day, root: str) -> Mapping[str, int]:
        assert root == self.root
        self.events.append(f"write {day.date}")
        self.known += self.meanwhile.pop(0) if self.meanwhile else []
        if self.write_errors:
            raise self.write_errors.pop(0)
        return {}

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        self.events.append("hold")
        yield
        self.events.append("release")

    def publish_day(self, compaction: Compaction) -> Manifest:
        check_unchanged(compaction.day, self.known)
        self.facts.append(compaction.facts)
        manifest = compacted(100 + len(self.known), compaction.day)
        self.known.append(manifest)
        self.events.append(f"publish {compaction.day.date}")
        return manifest

    def close(self) -> None:
        self.events.append("close")
        if self.close_error is not None:
            raise self.close_error

    def compactor(self, **how: Any) -> Compactor:
        sink = cast(Sink, self)
        return Compactor(self, sink, self.write, "run-1", "polars", "1.0", print, **how)

    def compacted(self) -> list[str]:
        return [manifest.day for manifest in self.compactor().run(BEFORE)]


def test_an_output_without_runs_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^memory:/out: holds no published run$"):
        MemoryOutput([]).compactor().days(BEFORE)


def test_an_output_of_features_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"^memory:/out: holds features, of which each run has its"
    ):
        MemoryOutput([published(1, 0, read=ReadFacts())]).compactor().days(BEFORE)


def test_each_day_is_written_and_published_in_the_order_of_time_and_its_staging_place_closed() -> (
    None
):
    output = MemoryOutput([ONE])

    found = list(output.compactor(undisturbed=output.undisturbed).run(BEFORE))

    assert [manifest.day for manifest in found] == ["2025-03-01", "2025-03-02"]
    assert output.events == [
        *("write 2025-03-01", "hold", "publish 2025-03-01", "release", "close"),
        *("write 2025-03-02", "hold", "publish 2025-03-02", "release", "close"),
    ]
    assert output.compactor().days(BEFORE) == []


def test_a_day_means_what_any_of_its_runs_says_it_means() -> None:
    later = published(2, 0, mini_batch_id="b", meaning={"x": 1, "y": 2})
    output = MemoryOutput([evolve(ONE, contributions=ONE.contributions[:1]), later])

    output.compacted()

    assert output.facts[0].meaning == {"x": 1, "y": 2}


def test_the_run_that_compacts_is_of_the_project_and_meaning_of_the_day_and_of_no_job() -> None:
    output = MemoryOutput([ONE])

    output.compacted()

    assert (
        output.facts
        == [RunFacts("p", "", "v1", "", "", "run-1", "polars", "1.0", meaning={"x": 1})] * 2
    )


@pytest.mark.parametrize("error", [NdrError("busy"), OSError("busy")])
def test_a_staging_place_that_can_not_be_removed_fails_no_compaction(error: Exception) -> None:
    assert MemoryOutput([ONE], close_error=error).compacted() == ["2025-03-01", "2025-03-02"]


def test_a_day_into_which_a_run_was_published_meanwhile_is_compacted_anew_with_it() -> None:
    new = published(2, 15, mini_batch_id="b")
    output = MemoryOutput([ONE], [[new]])

    assert output.compacted() == ["2025-03-01", "2025-03-02"]
    assert all(manifest.day for manifest in live_manifests(output.known))
    assert output.events.count("close") == 3


def test_a_run_that_is_published_into_an_earlier_day_too_is_not_lost_there() -> None:
    new = published(2, 0, DAY, mini_batch_id="b")
    output = MemoryOutput([ONE], [[], [new]])

    assert output.compacted() == ["2025-03-01", "2025-03-01", "2025-03-02"]
    assert all(manifest.day for manifest in live_manifests(output.known))
    assert sum(file.rows for file in live_files(output.known)) == 4


def test_a_day_that_another_one_compacts_meanwhile_is_left_to_it() -> None:
    first = MemoryOutput([ONE]).compactor().days(BEFORE)[0]

    assert MemoryOutput([ONE], [[compacted(2, first)]]).compacted() == ["2025-03-02"]


def test_a_day_into_which_runs_are_published_time_and_again_is_given_up() -> None:
    runs = [published(2 + number, 0, mini_batch_id=f"b{number}") for number in range(4)]
    output = MemoryOutput([ONE], [[run] for run in runs])

    with pytest.raises(DayChangedError):
        output.compacted()

    assert output.events == ["write 2025-03-01", "close"] * 3


@pytest.mark.parametrize("error", [NdrError("is missing"), OSError("is missing")])
def test_a_day_that_can_not_be_written_fails_the_compaction_and_those_before_it_stay(
    error: Exception,
) -> None:
    output = MemoryOutput([ONE])
    run = output.compactor().run(BEFORE)
    assert next(run).day == "2025-03-01"
    output.write_errors = [error]

    with pytest.raises(type(error)) as failed:
        next(run)

    assert failed.value is error
    assert output.events[-2:] == ["write 2025-03-02", "close"]
    assert [manifest.day for manifest in output.known] == ["", "2025-03-01"]


@pytest.mark.parametrize("error", [NdrError("is missing"), OSError("is missing")])
def test_a_day_whose_files_a_rerun_removed_while_it_was_written_is_compacted_anew(
    error: Exception,
) -> None:
    rerun = published(2, 15, mini_batch_id="a")
    output = MemoryOutput([ONE], [[rerun]], write_errors=[error])

    assert output.compacted() == ["2025-03-01"]
    assert output.events.count("close") == 2
    assert [file.folder for file in live_files(output.known)] == [rerun.files[0].folder]


def test_after_a_failed_writing_only_the_day_is_looked_up() -> None:
    output = MemoryOutput([ONE], write_errors=[NdrError("is missing")])

    with pytest.raises(NdrError):
        output.compacted()

    start = datetime(2025, 3, 1, tzinfo=UTC)
    assert output.asked == [(None, None), (start, start + timedelta(days=1))]


def test_a_mistake_in_the_writing_is_no_sign_that_a_day_has_changed() -> None:
    rerun = published(2, 15, mini_batch_id="a")
    output = MemoryOutput([ONE], [[rerun]], write_errors=[KeyError("mistake")])

    with pytest.raises(KeyError):
        output.compacted()

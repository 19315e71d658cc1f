"""Which windows a mini-batch has made due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import frozen

from ndr_core.publishing.manifest import Contribution, Manifest, RunFacts
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.spec_kinds import expect, parse_spec
from ndr_core.tables.slices import SLICE_MINUTES_KEY, SliceBounds
from ndr_core.times import MINUTE_US, to_datetime
from ndr_core.windows.due import due_after, due_anchors, span_of_mini_batch, touched_anchors
from ndr_core.windows.job import anchor_name
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.spec import FgASpec
from tests.makers import us

QUARTER = 15 * MINUTE_US
W_15M, W_30M, W_2H = WindowLabel(15, 15), WindowLabel(30, 15), WindowLabel(120, 60)


def at(clock: str) -> int:
    return us(f"2025-03-01T{clock}:00Z")


def slices(first: str, end: str) -> set[int]:
    return set(range(at(first), at(end), QUARTER))


def due(
    span: tuple[str, str],
    published: Iterable[int],
    labels: Sequence[WindowLabel] = (W_15M, W_30M),
    built: dict[int, set[str]] | None = None,
) -> list[str]:
    bounds = SliceBounds(at(span[0]), at(span[1]))
    found = due_anchors(labels, bounds, set(published), QUARTER, built or {})
    return [f"{to_datetime(one):%H:%M}" for one in found]


def test_the_next_quarter_makes_the_windows_due_that_end_with_it() -> None:
    assert due(("10:15", "10:30"), slices("10:00", "10:30")) == ["10:30"]


def test_a_window_with_a_slice_missing_is_not_due() -> None:
    published = slices("10:15", "10:30")

    assert due(("10:15", "10:30"), published) == ["10:30"], "w_15m is complete"
    assert due(("10:15", "10:30"), published, [W_30M]) == []


def test_a_late_slice_makes_the_later_windows_due_that_waited_for_it() -> None:
    published = slices("09:45", "11:00")
    built = {at(clock): {"w_15m"} for clock in ("10:15", "10:30", "10:45", "11:00")}

    found = due(("10:00", "10:15"), published, built=built)

    assert found == ["10:15", "10:30"], "w_30m of these two holds 10:00"


def test_what_is_built_is_not_due_again_until_another_label_is() -> None:
    published = slices("10:00", "10:30")

    assert due(("10:15", "10:30"), published, built={at("10:30"): {"w_15m", "w_30m"}}) == []
    assert due(("10:15", "10:30"), published, built={at("10:30"): {"w_15m"}}) == ["10:30"]


def test_a_span_of_an_hour_makes_each_end_in_it_due() -> None:
    published = slices("09:00", "11:00")

    found = due(("10:00", "11:00"), published, [W_15M])

    assert found == ["10:15", "10:30", "10:45", "11:00"]


def test_windows_end_on_the_grid_of_their_label() -> None:
    published = slices("08:00", "12:00")

    assert due(("10:15", "10:30"), published, [W_2H]) == ["11:00", "12:00"]


def test_the_ends_that_a_span_touches_are_those_after_its_start_as_far_as_windows_reach() -> None:
    span = SliceBounds(at("10:00"), at("10:15"))

    found = touched_anchors([W_15M, W_30M], span)

    assert found == (at("10:15"), at("10:30"))
    assert touched_anchors([W_2H], span) == (at("11:00"), at("12:00"))


@frozen
class Deltas:
    """An output that knows the runs of one owner."""

    owner: str
    runs: tuple[Manifest, ...]
    root: str = "out"

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        assert version == "v1"
        return self.runs if list(owners) == [self.owner] else ()

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        raise AssertionError(f"only those of one owner are asked for, not {since} to {until}")

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        raise AssertionError(f"no file is read, {paths}")

    def pruned_up_to(self) -> Pruned:
        raise AssertionError("spans do not depend on it")


def deltas(*places: str, bounds: SliceBounds | None = None, minutes: int | None = None) -> Deltas:
    """Deltas of one mini-batch, `mb` of the job `north`, with rows in these slices."""
    known = {} if minutes is None else {SLICE_MINUTES_KEY: minutes}
    facts = RunFacts(
        "p", "north", "v1", "", "mb", "run", "polars", "1", bounds=bounds, meaning=known
    )
    found = tuple(Contribution("north", "mb", place, "digest") for place in places)
    return Deltas(facts.owner, (Manifest(1, "0" * 12, facts, {}, found, ()),))


TEN = "dt=2025-03-01/hh=10/mm=00"
HALF_PAST_TEN = "dt=2025-03-01/hh=10/mm=30"


def test_the_span_of_a_mini_batch_is_that_of_its_bounds_whatever_rows_it_has() -> None:
    bounds = SliceBounds(at("10:00"), at("10:15"))

    found = span_of_mini_batch(deltas(HALF_PAST_TEN, bounds=bounds), "v1", "north", "mb")

    assert found == bounds


def test_without_bounds_it_is_that_of_the_slices_with_rows() -> None:
    found = span_of_mini_batch(deltas(HALF_PAST_TEN, TEN), "v1", "north", "mb")
    by_the_hour = span_of_mini_batch(deltas(TEN, minutes=60), "v1", "north", "mb")

    assert found == SliceBounds(at("10:00"), at("10:45"))
    assert by_the_hour == SliceBounds(at("10:00"), at("11:00"))


def test_a_mini_batch_that_is_not_published_has_no_span() -> None:
    assert span_of_mini_batch(deltas(TEN), "v1", "south", "mb") is None
    assert span_of_mini_batch(deltas(), "v1", "north", "mb") is None


@frozen
class Memory:
    """An output that holds these runs."""

    runs: tuple[Manifest, ...]
    root: str = "memory"

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        wanted = set(owners)
        return [
            run
            for run in self.runs
            if run.owner in wanted and run.facts.feature_spec_version == version
        ]

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        assert since is not None
        assert until is not None
        return self.runs

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        raise AssertionError(f"no file is read, {paths}")

    def pruned_up_to(self) -> Pruned:
        return Pruned()


def batch(name: str, first: str, end: str, version: str = "v1", published_at: int = 1) -> Manifest:
    """A published mini-batch of the job `north` with bounds."""
    bounds = SliceBounds(at(first), at(end))
    facts = RunFacts("p", "north", version, "", name, "run", "polars", "1", bounds=bounds)
    return Manifest(published_at, "0" * 12, facts, {}, (), ())


def windows_at(clock: str, *labels: str) -> Manifest:
    """A published run of windows that end at a time of day."""
    facts = RunFacts(
        *("p", "fg_a", "v1", "", anchor_name(at(clock)), "run", "polars", "1"),
        read=ReadFacts(built=labels),
    )
    return Manifest(1, "0" * 12, facts, {}, (), ())


def spec(**parts: object) -> FgASpec:
    """Windows of a quarter and of half an hour, each quarter."""
    labels = {"w_15m": "15m", "w_30m": "15m"}
    data = {"kind": "fg_a", "project_name": "p", "windows": {"labels": labels}, **parts}
    return expect(parse_spec(data), FgASpec, "test")


def due_texts(
    wanted: FgASpec, deltas: tuple[Manifest, ...], features: tuple[Manifest, ...], name: str
) -> list[str]:
    found = due_after(wanted, Memory(deltas), Memory(features), "north", name)
    return [f"{to_datetime(one):%H:%M}" for one in found]


def test_a_published_mini_batch_makes_due_what_its_output_holds_all_slices_of() -> None:
    deltas = (batch("a", "10:00", "10:15"), batch("b", "10:15", "10:30"))

    assert due_texts(spec(), deltas, (), "a") == ["10:15", "10:30"]
    assert due_texts(spec(), deltas, (), "b") == ["10:30"]
    assert due_texts(spec(), deltas[1:], (), "b") == ["10:30"], "w_15m alone is complete"


def test_what_the_output_of_features_holds_is_not_due_again() -> None:
    deltas = (batch("a", "10:00", "10:15"), batch("b", "10:15", "10:30"))

    features = (windows_at("10:15", "w_15m"), windows_at("10:30", "w_15m"))

    assert due_texts(spec(), deltas, features, "a") == ["10:30"], "w_30m is left"
    features = (windows_at("10:15", "w_15m"), windows_at("10:30", "w_15m", "w_30m"))
    assert due_texts(spec(), deltas, features, "a") == []


def test_windows_wait_for_all_their_sources() -> None:
    labels = {"w_15m": "15m"}
    both = spec(windows={"labels": labels, "sources": ["north", "south"]})

    assert due_texts(both, (batch("a", "10:00", "10:15"),), (), "a") == []


def test_the_deltas_of_the_version_that_the_spec_reads_are_looked_at() -> None:
    deltas = (batch("a", "10:00", "10:15", version="v2"),)

    assert due_texts(spec(), deltas, (), "a") == []
    newer = spec(inputs={"feature_spec_version": "v2"})
    assert due_texts(newer, deltas, (), "a") == ["10:15"]


def test_a_mini_batch_that_is_not_there_makes_nothing_due() -> None:
    assert due_texts(spec(), (batch("a", "10:00", "10:15"),), (), "b") == []


def test_a_mini_batch_that_no_window_end_touches_makes_nothing_due() -> None:
    early = batch("a", "10:00", "10:15")
    daily = spec(windows={"labels": {"w_15m": "1d"}})

    assert due_texts(daily, (early,), (), "a") == []

"""The name of a manifest tells whose it is, when it was published, and between which minutes its slices lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.errors import NdrError
from ndr_core.names import is_path_segment
from ndr_core.publishing.compaction import days_to_compact
from ndr_core.publishing.entry import (
    Entry,
    entry_of,
    former_output,
    is_former_name,
    owner_hash,
    owner_prefix,
    parse_entry,
    settled,
)
from ndr_core.publishing.manifest import Manifest, ManifestError
from ndr_core.tables.slices import SliceBounds
from ndr_core.times import MINUTE_US, TIME_LIMIT_US
from tests.unit.core.publishing.makers import FACTS, after_ten, bounds, compacted, published

MOMENT = 1_740_823_200_000_000
TOKEN = "0123456789ab"
NAME = (
    f"feature_spec_version=v1/{owner_hash('v1/j/mb')}-2025-03-01T1000_2025-03-01T1015-"
    f"{MOMENT}-{TOKEN}.json"
)


def test_a_manifest_is_named_by_version_owner_first_and_last_minute_moment_and_token() -> None:
    entry = entry_of(published(MOMENT, 15, 0, token=TOKEN))

    assert entry.name == NAME
    assert entry == Entry(
        "v1", owner_hash("v1/j/mb"), "2025-03-01T1000", "2025-03-01T1015", MOMENT, TOKEN
    )


def test_a_name_is_read_back() -> None:
    assert parse_entry(NAME) == entry_of(published(MOMENT, 0, 15, token=TOKEN))


def test_a_manifest_without_slices_and_span_is_named_so() -> None:
    entry = entry_of(published(MOMENT, token=TOKEN))

    assert (entry.first, entry.last) == ("none", "none")
    assert parse_entry(entry.name) == entry


@pytest.mark.parametrize(
    ("span", "minutes", "first", "last"),
    [
        (bounds(0, 60), (), "T1000", "T1059"),
        (bounds(0, 15), (0,), "T1000", "T1014"),
        (bounds(0, 60), (15, 30), "T1000", "T1059"),
        (bounds(30, 45), (0, 60), "T1000", "T1100"),
        (SliceBounds(after_ten(0), after_ten(0) + 90_000_000), (), "T1000", "T1001"),
    ],
)
def test_the_name_holds_the_minutes_of_the_span_and_of_slices_outside_of_it(
    span: SliceBounds, minutes: tuple[int, ...], first: str, last: str
) -> None:
    entry = entry_of(published(MOMENT, *minutes, bounds=span))

    assert (entry.first, entry.last) == (f"2025-03-01{first}", f"2025-03-01{last}")


def test_all_names_of_one_owner_begin_alike_and_those_of_others_do_not() -> None:
    prefix = owner_prefix("v1", owner_hash(FACTS.owner))

    assert entry_of(published(1, 0)).name.startswith(prefix)
    assert entry_of(published(2, 30)).name.startswith(prefix)
    assert not entry_of(published(1, 0, mini_batch_id="mb2")).name.startswith(prefix)
    assert not entry_of(published(1, 0, job_name="k")).name.startswith(prefix)


def test_names_of_one_owner_and_span_sort_by_the_moment_of_publication() -> None:
    names = [entry_of(published(moment, 0)).name for moment in (9, 10, MOMENT)]

    assert sorted(names) == names


def test_the_hash_of_an_owner_does_not_change_from_one_version_of_the_code_to_the_next() -> None:
    assert owner_hash("v1/j/mb") == "a0bb13be587b3055"


def with_a_negative_moment(manifest: Manifest) -> Manifest:
    return evolve(manifest, published_at=-1)


def with_a_moment_beyond_all(manifest: Manifest) -> Manifest:
    return evolve(manifest, published_at=10**16)


def with_a_token_of_two_parts(manifest: Manifest) -> Manifest:
    return evolve(manifest, token="a-b")


def with_a_version_that_leaves_its_folder(manifest: Manifest) -> Manifest:
    return evolve(manifest, facts=evolve(manifest.facts, feature_spec_version="v1/.."))


def with_a_version_that_is_no_path_segment(manifest: Manifest) -> Manifest:
    return evolve(manifest, facts=evolve(manifest.facts, feature_spec_version=" "))


@pytest.mark.parametrize(
    "change",
    [
        with_a_negative_moment,
        with_a_moment_beyond_all,
        with_a_token_of_two_parts,
        with_a_version_that_leaves_its_folder,
        with_a_version_that_is_no_path_segment,
    ],
)
def test_a_manifest_that_no_name_can_be_made_of_is_an_error(
    change: Callable[[Manifest], Manifest],
) -> None:
    with pytest.raises(ManifestError, match="can't be the name of a run's manifest"):
        entry_of(change(published(MOMENT, 0)))


def test_the_entry_of_a_day_tells_its_first_minute() -> None:
    manifest = published(MOMENT, 0)
    (contribution,) = manifest.contributions

    entry = entry_of(evolve(manifest, contributions=(evolve(contribution, slice="dt=2025-03-01"),)))

    assert (entry.first, entry.last) == ("2025-03-01T0000", "2025-03-01T0000")


@pytest.mark.parametrize("place", ["", "dt=2025-03-01/hh=10", "dt/hh/mm", "dt"])
def test_a_manifest_that_contributes_to_no_slice_of_the_calendar_is_an_error(place: str) -> None:
    manifest = published(MOMENT, 0)
    (contribution,) = manifest.contributions

    with pytest.raises(ManifestError, match="names a folder that is no slice"):
        entry_of(evolve(manifest, contributions=(evolve(contribution, slice=place),)))


@pytest.mark.parametrize(
    "name",
    [
        "",
        NAME.removesuffix(".json"),
        f"{NAME}.tmp",
        f"x/{NAME}",
        NAME.replace("feature_spec_version=v1/", ""),
        NAME.replace("feature_spec_version", "version"),
        NAME.replace(owner_hash("v1/j/mb"), "0123"),
        NAME.replace("T1000", "T10:00"),
        NAME.replace(str(MOMENT), "1"),
        NAME.replace(str(MOMENT), "٣" * 16),
        NAME.replace(f"-{TOKEN}", ""),
    ],
)
def test_another_name_is_no_entry(name: str) -> None:
    assert parse_entry(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "000000000001.json",
        "1234567890123.json",
        "feature_spec_version=v1/2025-03-01T1000_2025-03-01T1015/000000000001-0123456789ab-mb.json",
        "feature_spec_version=v1/none_none/000000000012-0123456789ab-a-mb.v2.json",
    ],
)
def test_names_of_the_version_in_which_runs_owned_slices_are_known(name: str) -> None:
    assert is_former_name(name)
    assert parse_entry(name) is None


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        NAME.replace(owner_hash("v1/j/mb"), "0123456789012345"),
        "1.json",
        "readme.json",
        "000000000001.json.tmp",
        "feature_spec_version=v1",
    ],
)
def test_other_names_are_not_taken_for_those_of_that_version(name: str) -> None:
    assert not is_former_name(name)


def test_an_output_of_that_version_is_refused_in_one_line_that_says_what_to_do() -> None:
    error = former_output("s3://b/out")

    assert error.exit_code == 2
    assert str(error) == (
        "output s3://b/out: was written by an older version, in which a run owned whole slices; "
        "bring it up to date with `ndr migrate s3://b/out`"
    )


# Which entries may hold a slice that starts in [since, until).

TEN = datetime(2025, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "may"),
    [
        (None, None, True),
        (30, None, True),
        (31, None, False),
        (None, 15, True),
        (None, 14, False),
        (15, 31, True),
        (16, 29, True),
        (0, 14, False),
        (31, 60, False),
    ],
)
def test_an_entry_may_hold_what_lies_between_its_first_and_its_last_minute(
    since: int | None, until: int | None, may: bool
) -> None:
    entry = entry_of(published(1, 15, 30))
    start, end = (
        None if bound is None else TEN + timedelta(minutes=bound) for bound in (since, until)
    )

    assert entry.may_hold(start, end) is may


def test_an_entry_may_hold_all_slices_of_its_span() -> None:
    entry = entry_of(published(1, bounds=bounds(0, 60)))

    assert entry.may_hold(TEN + timedelta(minutes=59), None)
    assert not entry.may_hold(TEN + timedelta(minutes=60), None)


def test_an_entry_without_slices_holds_none_but_is_one_of_all() -> None:
    entry = entry_of(published(1))

    assert entry.may_hold(None, None)
    assert not entry.may_hold(TEN, None)
    assert not entry.may_hold(None, TEN)


def test_bounds_of_any_time_zone_are_compared_in_utc() -> None:
    entry = entry_of(published(1, 0))
    there = timezone(timedelta(hours=5, minutes=45))

    assert entry.may_hold(datetime(2025, 3, 1, 15, 45, tzinfo=there), None)
    assert not entry.may_hold(datetime(2025, 3, 1, 15, 46, tzinfo=there), None)


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))]
)
def test_the_ends_of_the_calendar_are_bounds_as_others(zone: timezone) -> None:
    entry = entry_of(published(1, 0))
    first, last = (one.replace(tzinfo=zone) for one in (datetime.min, datetime.max))

    assert entry.may_hold(first, last)
    assert not entry.may_hold(last, None)
    assert not entry.may_hold(None, first)
    assert entry.may_hold(datetime(3, 1, 1, tzinfo=zone), None)


SEGMENTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True).filter(
    is_path_segment
)
MINUTES = st.integers(0, TIME_LIMIT_US // MINUTE_US - 1)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Manifests of any owner, of slices and spans anywhere in time."""
    slices = draw(st.lists(MINUTES, unique=True, max_size=4))
    ends = sorted(draw(st.lists(MINUTES, unique=True, min_size=2, max_size=2)))
    made = published(
        draw(st.integers(0, 10**16 - 1)),
        *(minute - after_ten(0) // MINUTE_US for minute in slices),
        token=f"{draw(st.integers(0, 2**48 - 1)):012x}",
        feature_spec_version=draw(SEGMENTS),
        job_name=draw(SEGMENTS),
        mini_batch_id=draw(SEGMENTS),
    )
    span = SliceBounds(*(end * MINUTE_US for end in ends)) if draw(st.booleans()) else None
    return evolve(made, facts=evolve(made.facts, bounds=span))


@settings(deadline=None)
@given(manifests())
def test_every_manifest_has_a_name_that_is_read_back_and_may_hold_each_of_its_slices(
    manifest: Manifest,
) -> None:
    entry = entry_of(manifest)

    assert parse_entry(entry.name) == entry
    assert not is_former_name(entry.name)
    assert entry.name.startswith(owner_prefix(entry.version, owner_hash(manifest.owner)))
    assert entry.name.count("/") == 1
    assert len(entry.name.partition("/")[2]) < 120
    for place in manifest.slices():
        start = _start(place)
        assert entry.may_hold(start, start + timedelta(microseconds=1))


def _start(place: str) -> datetime:
    text = "".join(part.partition("=")[2] for part in place.split("/"))
    return datetime.strptime(text, "%Y-%m-%d%H%M").replace(tzinfo=UTC)


def test_a_compacted_day_is_found_by_its_day_also_where_no_run_of_it_has_rows() -> None:
    [day] = days_to_compact([published(1, bounds=bounds(0, 60))], datetime(2025, 3, 2, tzinfo=UTC))

    entry = entry_of(compacted(2, day))

    assert (entry.first, entry.last) == ("2025-03-01T0000", "2025-03-01T0000")
    assert entry.owner == owner_hash("v1//2025-03-01")
    assert entry.may_hold(day.slices.since, day.slices.until)


def test_a_listing_counts_once_the_next_one_is_equal() -> None:
    listings = iter([["a"], ["b"], ["a"], ["a"], ["c"]])

    assert settled(lambda: next(listings)) == ["a"]
    assert next(listings) == ["c"]


def test_listings_that_never_settle_are_given_up() -> None:
    numbers = iter(range(1000))

    with pytest.raises(NdrError, match="published faster than they can be listed; try again"):
        settled(lambda: [next(numbers)])

    assert next(numbers) == 21

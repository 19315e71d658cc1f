"""What a pruning removes, and what becomes of runs that come too late for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from ndr_core.errors import NdrError, UsageError, shown
from ndr_core.publishing.entry import Entry
from ndr_core.publishing.manifest import Manifest, OutputFile, mini_batch_owner
from ndr_core.publishing.ownership import live_manifests
from ndr_core.publishing.pruned import PRUNED, Pruned
from ndr_core.publishing.sink import Publication
from ndr_core.tables.slices import SLICE_MINUTES, SLICE_MINUTES_KEY, place_of
from ndr_core.times import DAY_US, MINUTE_US, iso_text, now_us, to_datetime


class PrunedError(NdrError):
    """All that a run would publish lies in slices that were pruned."""


@frozen
class Pruning:
    """What a pruning removes, in this order."""

    pruned: Pruned
    """The markers from then on."""
    files: tuple[OutputFile, ...]
    manifests: tuple[tuple[Manifest, ...], ...]
    """In groups: one is gone before the next one begins, or a run that was replaced would count again."""

    @property
    def hints(self) -> dict[tuple[str, str], set[str]]:
        """Version and date of each compacted day that goes -> the owners of which it holds something."""
        return {
            (version, day.day): {
                *(
                    mini_batch_owner(version, one.job_name, one.mini_batch_id)
                    for one in day.contributions
                ),
                *(run.facts.owner for run in day.runs),
            }
            for group in self.manifests
            for day in group
            if day.day
            for version in [day.facts.feature_spec_version]
        }


@frozen
class Removed:
    """What a pruning has removed, or would remove."""

    firsts: Mapping[str, int]
    """As in `Pruned`."""
    slices: int
    files: int
    bytes: int
    runs: int
    """Manifests."""
    failed: int
    """Runs that a threshold stopped, of which something was kept."""

    @classmethod
    def of(cls, pruning: Pruning, sizes: Mapping[str, int], failed: int) -> Removed:
        """Count it. `sizes`: bytes of those of its files that are there."""
        there = [file for file in pruning.files if file.path in sizes]
        slices = {file.folder.partition("/")[2] for file in there if file.slice is not None}
        runs = sum(len(group) for group in pruning.manifests)
        size = sum(sizes.values())
        return cls(pruning.pruned.firsts, len(slices), len(there), size, runs, failed)


def check_moment(before: int) -> None:
    """Raise UsageError for a moment to come: nothing more could be published until then."""
    if before > now_us():
        raise UsageError(
            f"before: {iso_text(before)} is yet to come; give a time that has passed, such as that of 90 days ago"
        )


def entries_to_prune(entries: Iterable[Entry], before: int) -> list[Entry]:
    """Choose the manifests that may hold slices, or be of runs without any, from before a moment, us.

    Of their owners all are chosen: only all of them tell which one counts. Up to the end of the moment's day, too: a
    compacted day may hold a run whole that ended earlier than the first slice of the day.
    """
    known, end = list(entries), to_datetime((before // DAY_US + 1) * DAY_US - 1)
    owners = {
        (one.version, one.owner)
        for one in known
        if one.may_hold(None, end) or (one.has_no_slice and one.published_at < before)
    }
    return [one for one in known if (one.version, one.owner) in owners]


def pruning_of(manifests: Iterable[Manifest], known: Pruned, before: int) -> Pruning:
    """Tell what is to be removed of slices that end by a moment, us. `manifests`: of `entries_to_prune`, published."""
    published = list(manifests)
    firsts = dict(known.firsts)
    for manifest in published:
        minutes = int(manifest.facts.meaning.get(SLICE_MINUTES_KEY, SLICE_MINUTES))
        version, grid = manifest.facts.feature_spec_version, minutes * MINUTE_US
        firsts[version] = max(before // grid * grid, firsts.get(version, 0))
    pruned = Pruned(firsts)
    counting = live_manifests(published)
    left = pruned.left(counting)
    stay = {file.path for manifest in left for file in manifest.files}
    files = {file.path: file for manifest in published for file in manifest.files}
    gone = _others(counting, left)
    return Pruning(
        pruned,
        tuple(files[path] for path in sorted(files.keys() - stay)),
        (
            *_one_after_the_other(published, _others(published, counting)),
            tuple(manifest for manifest in gone if not manifest.day),
            tuple(manifest for manifest in gone if manifest.day),
        ),
    )


def without_pruned(
    publication: Publication, pruned: Pruned, notice: Callable[[str], None]
) -> Publication:
    """Give a publication without its rows in pruned slices; `notice` hears how many these are.

    Raises PrunedError where no rows would be left of it.
    """
    old = {name: rows for name, rows in publication.rows.items() if pruned.of_file(name)}
    if not old:
        return publication
    facts = publication.facts
    slices = len({place_of(name.split("/")[2:]) for name in old})
    told = (
        f"{slices:,} slices with {sum(old.values()):,} rows are older than "
        f"{iso_text(pruned.firsts[facts.feature_spec_version])}, up to which `ndr prune` has removed all of "
        f"feature_spec_version {facts.feature_spec_version} (marker in {PRUNED})"
    )
    if len(old) == len(publication.rows):
        raise PrunedError(
            f"mini-batch {shown(facts.mini_batch_id)}: {told}, and it has no others; leave it out, or choose "
            "another feature_spec_version"
        )
    notice(f"{told}; they are not published")
    rows = {name: count for name, count in publication.rows.items() if name not in old}
    return evolve(publication, rows=rows)


def _others(manifests: Iterable[Manifest], known: Iterable[Manifest]) -> list[Manifest]:
    """Give the manifests that are none of the known ones, of which less may be left."""
    orders = {manifest.order for manifest in known}
    return [manifest for manifest in manifests if manifest.order not in orders]


def _one_after_the_other(
    published: Iterable[Manifest], spent: Sequence[Manifest]
) -> Iterator[tuple[Manifest, ...]]:
    """Part manifests that don't count: those that one of their owner replaced, then those that a day took over."""
    last: dict[str, tuple[int, str]] = {}
    for manifest in published:
        last[manifest.owner] = max(manifest.order, last.get(manifest.owner, (-1, "")))
    yield tuple(one for one in spent if one.order != last[one.owner])
    yield tuple(one for one in spent if one.order == last[one.owner])

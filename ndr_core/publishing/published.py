"""What readers see of an output, wherever it lies: the live files of its published runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol

from attrs import evolve, field, frozen

from ndr_core.errors import NdrError, UsageError, shown
from ndr_core.publishing.entry import Entry, owner_hash
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.ownership import live, live_manifests
from ndr_core.publishing.pruned import Pruned
from ndr_core.tables.slices import place_start, slice_place
from ndr_core.times import MINUTE_US, to_record_us

_ATTEMPTS: Final = 5
_MOST_NAMED: Final = 10


class GoneSlicesWarning(UserWarning):
    """Readers leave slices out whose folders were removed."""


class PublishedTables(Protocol):
    """An output that can be read."""

    @property
    def root(self) -> str:
        """Address of the output, without a slash at its end."""
        ...

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        """What is left of the published runs that count, as of one moment: no slice that was pruned.

        Runs of no slice in [since, until) may be absent.

        Raises NdrError where a manifest can't be read, UsageError where the output can't.
        """
        ...

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        """Bytes of those of some files, named below the root, that are there."""
        ...


class FollowedOutput(PublishedTables, Protocol):
    """An output of which others are made: one can ask what became of what was read of it."""

    def of_owners(self, version: str, owners: Iterable[str]) -> Sequence[Manifest]:
        """What is left of the published runs that count of some owners (`RunFacts.owner`) of a feature_spec_version.

        Raises as `manifests`.
        """
        ...

    def pruned_up_to(self) -> Pruned:
        """Up to where the output was pruned. Who reads manifests asks for it after them."""
        ...


class WholeOutput(FollowedOutput, Protocol):
    """An output of which any file can be read."""

    def counting(self) -> tuple[Sequence[Manifest], Pruned]:
        """All published runs that count, with what was pruned of them, and up to where that is.

        Raises as `manifests`.
        """
        ...

    def listed(self) -> Iterator[str]:
        """The files below the folders of tables, quarantine and reports, named below the root."""
        ...

    def content(self, path: str) -> Iterator[bytes]:
        """A file in pieces. Raises NdrError where it can't be read."""
        ...


@frozen
class SliceRange:
    """Slices that start in [since, until); an absent bound leaves its side open."""

    since: datetime | None = None
    until: datetime | None = None

    def __attrs_post_init__(self) -> None:
        """Raise UsageError for bounds without a time zone, which could mean any time."""
        for name in ("since", "until"):
            bound = getattr(self, name)
            if bound is not None and bound.tzinfo is None:
                raise UsageError(
                    f"{name}: {bound} has no time zone; give one, such as datetime.UTC"
                )

    def holds(self, place: str) -> bool:
        """Whether a slice or day, `dt=../hh=../mm=..` or `dt=..`, begins in the range."""
        start = place_start(place)
        return (self.since is None or start >= _place(self.since)) and (
            self.until is None or start < _place(self.until)
        )


@lru_cache(maxsize=64)  # asked for each file of a range
def _place(moment: datetime) -> str:
    """Where slices from this moment on begin; slices start at whole minutes."""
    minute = -(-to_record_us(moment) // MINUTE_US) * MINUTE_US
    return slice_place(minute)


def entries_to_read(
    entries: Iterable[Entry], since: datetime | None, until: datetime | None
) -> list[Entry]:
    """Choose the manifests that tell which runs count in the slices that start in [since, until).

    Where one manifest of an owner may hold such a slice, all of that owner are chosen: only all of them tell which
    one counts.
    """
    known = list(entries)
    owners = {(one.version, one.owner) for one in known if one.may_hold(since, until)}
    return [one for one in known if (one.version, one.owner) in owners]


def entries_of_owners(entries: Iterable[Entry], version: str, owners: Iterable[str]) -> list[Entry]:
    """Choose the manifests of some owners (`RunFacts.owner`) of a feature_spec_version."""
    hashes = set(map(owner_hash, owners))
    return [one for one in entries if one.version == version and one.owner in hashes]


@frozen
class PublishedFiles:
    """Live files of one table."""

    root: str
    """Address of the output, without a slash at its end."""
    table: str
    by_run: tuple[tuple[OutputFile, ...], ...]
    """The files of each run that has any; all files of a run have the same columns."""
    columns: Mapping[str, str] = field(factory=dict)
    """Column -> type, of all runs that make the table, with rows or without; also what the paths spell."""
    samples: tuple[OutputFile, ...] = ()
    """A file of each engine in each of its versions: what is written in another way differs here."""
    meanings: tuple[Mapping[str, Any], ...] = ()
    """`RunFacts.meaning` of the runs that make the table, each once."""

    @property
    def files(self) -> list[OutputFile]:
        """All files, sorted by path."""
        return sorted((file for run in self.by_run for file in run), key=lambda file: file.path)


@frozen
class PublishedRuns:
    """Published runs of an output, as of one moment."""

    root: str
    manifests: tuple[Manifest, ...]
    slices: SliceRange = field(factory=SliceRange)
    """The slices that are asked for."""
    gone: frozenset[str] = frozenset()
    """Slices that are left out, `feature_spec_version=../dt=../hh=../mm=..`: their folders were removed."""

    def files(self, table: str) -> PublishedFiles:
        """The live files of a table, in the range of slices."""
        found = live(self.manifests)
        runs = [
            tuple(
                file
                for file in found.files(manifest)
                if file.table == table and file.slice is not None and self.slices.holds(file.slice)
                if _slice_of(file) not in self.gone
            )
            for manifest in found.manifests
        ]
        samples = {
            (manifest.facts.engine, manifest.facts.code_version): run[-1]
            for manifest, run in zip(found.manifests, runs, strict=True)
            if run
        }
        columns = {
            name: kind
            for manifest in found.manifests
            for name, kind in manifest.columns.get(table, {}).items()
        }
        meanings: list[Mapping[str, Any]] = []
        for manifest in found.manifests:
            meaning = manifest.facts.meaning
            if table in manifest.columns and meaning not in meanings:
                meanings.append(meaning)
        by_run = tuple(run for run in runs if run)
        return PublishedFiles(
            self.root, table, by_run, columns, tuple(samples.values()), tuple(meanings)
        )

    def damages(self, files: Iterable[OutputFile], sizes: Mapping[str, int]) -> dict[str, str]:
        """Path -> what is wrong, for files that are missing or have another size than their manifest says.

        `sizes`: bytes of the files that are there.
        """
        batches = {
            file.path: manifest.facts.mini_batch_id
            for manifest in live_manifests(self.manifests)
            for file in manifest.files
        }
        return {
            file.path: f"{self.root}/{file.path}: {_damage(file, sizes.get(file.path))}; restore it, "
            f"or run mini-batch {shown(batches[file.path])} again"
            for file in files
            if sizes.get(file.path) != file.bytes
        }


def _damage(file: OutputFile, size: int | None) -> str:
    expected = f"its manifest says {file.bytes:,} bytes"
    return f"is missing ({expected})" if size is None else f"has {size:,} bytes, {expected}"


def readable_runs(
    published: PublishedTables, tables: Iterable[str], slices: SliceRange | None = None
) -> PublishedRuns:
    """The published runs of an output, once the live files of these tables are there with the sizes they should have.

    A slice of which a table's folder is gone, by hand or by a rule of the storage, is left out: a GoneSlicesWarning
    tells of it. Raises what `published` raises, and NdrError for another file that is missing or has another size.
    """
    wanted, span = tuple(tables), slices or SliceRange()
    damaged: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        manifests = tuple(published.manifests(span.since, span.until))
        runs = PublishedRuns(published.root, manifests, span)
        files = [file for table in wanted for file in runs.files(table).files]
        sizes = published.sizes([file.path for file in files])
        damages, gone = runs.damages(files, sizes), _gone(files, sizes)
        # A later run may have replaced a file since the manifests were read: then they say so by now.
        known = {file for file in files if file.path in damages and file.path in damaged}
        wrong = sorted(file.path for file in known if _slice_of(file) not in gone)
        if wrong:
            more = f" (and {len(wrong) - 1} more files)" if len(wrong) > 1 else ""
            raise NdrError(damages[wrong[0]] + more)
        if len(known) == len(damages):
            if gone:
                warnings.warn(_told(published.root, gone), GoneSlicesWarning, stacklevel=2)
            return evolve(runs, gone=gone)
        damaged |= damages
    raise NdrError(f"{published.root}: runs are published faster than they can be read; try again")


def _slice_of(file: OutputFile) -> str:
    return file.folder.partition("/")[2]


def _gone(files: Iterable[OutputFile], sizes: Mapping[str, int]) -> frozenset[str]:
    """The slices of which a table has none of its files."""
    there: dict[str, bool] = {}
    for file in files:
        there[file.folder] = there.get(file.folder, False) or file.path in sizes
    return frozenset(folder.partition("/")[2] for folder, some in there.items() if not some)


def _told(root: str, gone: Iterable[str]) -> str:
    names = sorted(gone)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"{root}: {len(names):,} slices are left out, since their folders were removed: "
        f"{', '.join(names[:_MOST_NAMED])}{more}; restore them, or remove old slices with `ndr prune`"
    )


def readable_files(
    published: PublishedTables, table: str, slices: SliceRange | None = None
) -> PublishedFiles:
    """The live files of a table, in the range of slices. Raises as `readable_runs`."""
    return readable_runs(published, [table], slices).files(table)

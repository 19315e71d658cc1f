"""Outputs of the version before, in which a run owned whole slices: what becomes of them.

Each slice that still has rows becomes one mini-batch. It keeps its mini-batch's id where that had this slice only, so
that a rerun replaces it; else the slice's time is added to the id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import evolve, frozen
from cattrs import BaseValidationError, Converter

from ndr_core.publishing.manifest import (
    Manifest,
    ManifestError,
    OutputFile,
    RunFacts,
    check_places,
    contributions_of,
)
from ndr_core.tables.slices import SLICE_LEVELS, SLICE_MINUTES_KEY

MEANING: Final[Mapping[str, Any]] = {
    "meaning_version": 1,
    SLICE_MINUTES_KEY: 15,
    "delta.moment": "event_start",
}
"""What all jobs of the version before agreed in."""


@frozen
class FormerFile:
    """A file as manifests of format 1 name it."""

    folder: str
    path: str
    rows: int
    bytes: int
    sha256: str


@frozen
class FormerManifest:
    """A manifest of format 1: the last one to name a folder owns it."""

    sequence: int
    token: str
    facts: RunFacts
    folders: tuple[str, ...]
    files: tuple[FormerFile, ...]


_CONVERTER: Final = Converter()


def read_former(data: Any) -> FormerManifest:
    """Read a manifest of format 1. Raises ManifestError where the data are none."""
    try:
        return _CONVERTER.structure(data, FormerManifest)
    except BaseValidationError as error:
        raise ManifestError("is no manifest of the version before") from error


def migrated(
    former: Iterable[FormerManifest], columns_of: Callable[[str], Mapping[str, str]]
) -> list[Manifest]:
    """Make the manifests that say of an output's live files what these said, in the order of publication.

    `columns_of`: gives the columns of a file of a table, named below the output's root, and their types, what its
    path spells included. The same manifests for the same ones. Raises ManifestError for one that names a place to
    which no run writes.
    """
    known = sorted(former, key=lambda one: (one.sequence, one.token))
    owner = {folder: one for one in known for folder in one.folders}
    units = [unit for one in known for unit in _units(one, owner)]
    slices = Counter(unit.one.facts.owner for unit in units if unit.place)
    found = [
        _manifest(unit, columns_of, is_alone=slices[unit.one.facts.owner] == 1) for unit in units
    ]
    return sorted(_joined(found), key=lambda manifest: manifest.order)


@frozen
class _Unit:
    """The live files of a manifest in one slice, `feature_spec_version=../dt=../hh=../mm=..`, or in none."""

    one: FormerManifest
    place: str
    files: tuple[FormerFile, ...]


def _units(one: FormerManifest, owner: Mapping[str, FormerManifest]) -> Iterator[_Unit]:
    by_place: dict[str, list[FormerFile]] = {}
    for file in one.files:
        if owner.get(file.folder) is one:
            by_place.setdefault(_slice_of(file), []).append(file)
    for place, files in sorted(by_place.items()):
        yield _Unit(one, place, tuple(files))


def _joined(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """Put what is no slice, such as reports, to the slice of its mini-batch where there is just one."""
    by_owner: dict[str, Manifest] = {}
    for manifest in manifests:
        first = by_owner.get(manifest.owner)
        if first is None:
            by_owner[manifest.owner] = manifest
            continue
        files = (*first.files, *manifest.files)
        contributions = (*first.contributions, *manifest.contributions)
        by_owner[manifest.owner] = evolve(
            max(first, manifest, key=lambda one: one.order),
            files=files,
            columns={**first.columns, **manifest.columns},
            contributions=tuple(sorted(contributions, key=lambda one: one.slice)),
        )
    yield from by_owner.values()


def _slice_of(file: FormerFile) -> str:
    levels = file.path.split("/")[1 : 1 + len(SLICE_LEVELS)]
    keys = [level.partition("=")[0] for level in levels]
    return "/".join(levels) if keys == list(SLICE_LEVELS) else ""


def _manifest(
    unit: _Unit, columns_of: Callable[[str], Mapping[str, str]], *, is_alone: bool
) -> Manifest:
    facts = evolve(unit.one.facts, meaning=MEANING)
    if unit.place and not is_alone:
        keys = dict(level.split("=", 1) for level in unit.place.split("/"))
        time = f"{keys['dt']}T{keys['hh']}{keys['mm']}"
        # The report is of the whole run: it stays with what else the run has that is no slice.
        facts = evolve(facts, mini_batch_id=f"{facts.mini_batch_id}-{time}", report=None)
    placed = tuple(OutputFile(file.path, file.rows, file.bytes, file.sha256) for file in unit.files)
    samples = {file.table: file.path for file in placed if file.slice is not None}
    manifest = Manifest(
        published_at=unit.one.sequence,
        token=unit.one.token,
        facts=facts,
        columns={table: columns_of(path) for table, path in samples.items()},
        contributions=contributions_of(facts, placed),
        files=placed,
    )
    check_places(manifest)
    return manifest

"""What a published run says of itself: its facts, what it contributes to which slices, and its files."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from attrs import asdict, field, frozen
from cattrs import Converter

from ndr_core.errors import NdrError, shown
from ndr_core.names import is_column_name
from ndr_core.publishing.read_facts import ReadFacts
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.quality.report import QualityReport
from ndr_core.tables.parquet import PARQUET_FORMAT, number_problem
from ndr_core.tables.slices import SliceBounds, place_of
from ndr_core.times import iso_text

FORMAT: Final = 2
"""Of the manifests that this version writes and reads. In format 1, runs owned whole slices: see `entry`."""

REPORT: Final = "quality"
"""Folder of the reports of an output."""

STAGED_RUN: Final = re.compile(r".+-[0-9a-f]{12}")
"""The name of a run's staging place: its run id and its token."""
_TOKEN: Final = re.compile(r"[0-9a-f]{12}")
_OF_BASELINES: Final = ("covered", "settings", "without_baseline")
"""What only jobs of baselines, and those that read these, say that they read."""
_ASIDE: Final = (QUARANTINE, REPORT)
"""Top folders of what is no table."""


class ManifestError(NdrError):
    """Data are no manifest, or one that names a place to which no run writes."""

    def at(self, place: object) -> NdrError:
        """Say where the manifest lies that is wrong, and what to do."""
        return NdrError(f"{place}: {self}; restore it, or remove it and run its mini-batch again")


@frozen
class OutputFile:
    """One published file."""

    path: str
    """Below the output's root."""
    rows: int
    """Rows of a table, records of a quarantine, else 0."""
    bytes: int
    sha256: str

    @property
    def table(self) -> str:
        return self.path.partition("/")[0]

    @property
    def partition(self) -> dict[str, str]:
        """The partition keys that the path spells."""
        return dict(part.split("=", 1) for part in self.path.split("/")[1:-1])

    @property
    def slice(self) -> str | None:
        """The slice or day that it holds rows of, `dt=../hh=../mm=..` or `dt=..`; None for a file of no table."""
        return _place_of_directory(self.path.rpartition("/")[0])

    @property
    def folder(self) -> str:
        """The folder of its slice in its table; of a file of no table, the folder that it lies in."""
        folders = self.path.split("/")[:-1]
        place = self.slice
        return "/".join(folders if place is None else [*folders[:2], *filter(None, [place])])

    @property
    def part(self) -> str:
        """What its folders below the slice spell, such as the role; `all` without such folders."""
        below = self.path.split("/")[:-1][len(self.folder.split("/")) :]
        return "/".join(level.partition("=")[2] for level in below) or "all"


@lru_cache(maxsize=1 << 14)  # asked many times of each file, and files of one directory are many
def _place_of_directory(directory: str) -> str | None:
    table, *folders = directory.split("/")
    return None if table in _ASIDE else place_of(folders[1:])


@frozen
class RunFacts:
    """What is known of a run before its files lie where readers look."""

    project_name: str
    job_name: str
    feature_spec_version: str
    spec_sha256: str
    mini_batch_id: str
    run_id: str
    engine: str
    code_version: str
    report: QualityReport | None = None
    """What the quality rules did, of a run that has some."""
    derived_id: bool = False
    """Whether the mini-batch's id was made from the address of its input."""
    bounds: SliceBounds | None = None
    """The span of slices that the batch is for, where it was given."""
    inputs: tuple[str, ...] = ()
    """Fingerprints of its input files, sorted."""
    meaning: Mapping[str, Any] = field(factory=dict)
    """The keys of the JobSpec, with their values, in which all runs of a feature_spec_version agree."""
    read: ReadFacts | None = None
    """What a run that builds features read of other outputs; None for a run that read files."""

    @property
    def owner(self) -> str:
        """Name what owns the run's contributions: a later run of the same owner replaces them, no other run does."""
        return mini_batch_owner(self.feature_spec_version, self.job_name, self.mini_batch_id)


@frozen
class Contribution:
    """What one mini-batch adds to one slice."""

    job_name: str
    mini_batch_id: str
    slice: str
    """`dt=../hh=../mm=..`, of a table of days `dt=..`."""
    digest: str
    """Hash of the content of its files: another one where they hold other bytes."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.job_name, self.mini_batch_id, self.slice


@frozen
class Replaced:
    """The run that a run replaced."""

    run_id: str
    published_at: int
    slices: int
    kept: int | None
    """Records that it kept, where it has a report."""


@frozen
class CompactedRun:
    """A run that a compacted day holds whole: nothing of it counts elsewhere."""

    published_at: int
    facts: RunFacts


@frozen
class Manifest:
    """One published run: that of a mini-batch, or the compaction of a day."""

    published_at: int
    """Moment of publication, us since 1970 UTC; later than that of each run of its owner before it."""
    token: str
    """Part of the names of its files, and of those of no other run."""
    facts: RunFacts
    columns: Mapping[str, Mapping[str, str]]
    """Table -> column -> type, of the tables that the run makes, with rows or without."""
    contributions: tuple[Contribution, ...]
    files: tuple[OutputFile, ...]
    replaced: Replaced | None = None
    day: str = ""
    """The UTC day that was compacted, `2025-03-01`; its contributions are those of many mini-batches."""
    runs: tuple[CompactedRun, ...] = ()
    """The runs that a compacted day holds whole."""
    parquet_format: int = PARQUET_FORMAT
    """Of its files of tables."""
    format: int = FORMAT

    @property
    def owner(self) -> str:
        """As `RunFacts.owner`; of a compacted day the day itself."""
        return (
            day_owner(self.facts.feature_spec_version, self.day) if self.day else self.facts.owner
        )

    @property
    def order(self) -> tuple[int, str]:
        """Sort key, by publication: of two runs at one moment, all readers take the same one for the later."""
        return self.published_at, self.token

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that the run makes, sorted."""
        return tuple(sorted(self.columns))

    def rows(self, table: str) -> dict[str, int]:
        """Count the rows of a table by its folders below the slice, such as the role: `inbound`, `outbound`.

        A table without such folders has all its rows under `all`.
        """
        found: dict[str, int] = {}
        for file in self.files:
            if file.table == table:
                found[file.part] = found.get(file.part, 0) + file.rows
        return found

    def slices(self) -> list[str]:
        """Give the slices or days that it holds rows of, `dt=../hh=../mm=..` or `dt=..`, sorted."""
        return sorted({contribution.slice for contribution in self.contributions})

    def to_plain(self) -> dict[str, Any]:
        """Give JSON-ready data that `from_plain` reads back."""
        plain = asdict(self)
        for facts in (plain["facts"], *(run["facts"] for run in plain["runs"])):
            if facts["read"] is None:  # as manifests were written before there were features
                del facts["read"]
                continue
            for name in _OF_BASELINES:  # likewise
                if not facts["read"][name]:
                    del facts["read"][name]
        return {"format": plain.pop("format"), **plain}

    @classmethod
    def from_plain(cls, data: Any) -> Manifest:
        """Read a manifest. Raises ManifestError where the data are none, or as `check_places`."""
        _check_format(data)
        try:
            manifest = _CONVERTER.structure(data, cls)
        except Exception as error:  # whatever data of another form lead a converter to
            raise ManifestError("is no manifest of a run") from error
        check_places(manifest)
        return manifest

    def to_json(self) -> str:
        return json.dumps(self.to_plain(), indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        """Read a manifest. Raises ManifestError as `from_plain`, also for text that is no JSON."""
        return cls.from_plain(plain_of(text))

    def must_be_exactly(self, data: Any) -> None:
        """Raise ManifestError where `data`, from which it was read, are not what this version writes.

        Files of a run that was not published are deleted only where such data name them.
        """
        if plain_of(self.to_json()) != data:
            raise ManifestError("is a manifest of another version")
        if not _TOKEN.fullmatch(self.token):
            raise ManifestError(f"has {shown(self.token)} for its run's token")
        for file in self.files:
            if file not in self.own_files and not (self.day and file.slice is None):
                raise ManifestError(f"names {shown(file.path)}, which is no file of its run")

    @property
    def own_files(self) -> tuple[OutputFile, ...]:
        """The files that the run itself has placed: a compacted day holds files of other runs, too."""
        mark = f"-{self.token}"
        return tuple(file for file in self.files if mark in file.path.rpartition("/")[2])


def mini_batch_owner(feature_spec_version: str, job_name: str, mini_batch_id: str) -> str:
    """Give the owner of a mini-batch's contributions."""
    return f"{feature_spec_version}/{job_name}/{mini_batch_id}"


def day_owner(feature_spec_version: str, day: str) -> str:
    """Give the owner of a compacted day: no mini-batch's, since these have jobs with names."""
    return f"{feature_spec_version}//{day}"


def contributions_of(facts: RunFacts, files: Iterable[OutputFile]) -> tuple[Contribution, ...]:
    """Say what a run with these files contributes to which slices, in the order of time."""
    by_slice: dict[str, list[OutputFile]] = {}
    for file in files:
        if file.slice is not None:
            by_slice.setdefault(file.slice, []).append(file)
    return tuple(
        Contribution(facts.job_name, facts.mini_batch_id, place, _digest(found))
        for place, found in sorted(by_slice.items())
    )


def _digest(files: Iterable[OutputFile]) -> str:
    """Hash the content of files, with the folders that they lie in."""
    lines = sorted(f"{file.path.rpartition('/')[0]} {file.rows} {file.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


_CONVERTER: Final = Converter(detailed_validation=False)
"""Details of what is wrong would not be told, and take more than half of the time of reading."""


def plain_of(text: str | bytes) -> Any:
    """Give the data of JSON text. Raises ManifestError for other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError("is no manifest of a run") from error


def _check_format(data: Any) -> None:
    """Raise ManifestError, naming the format, for data of another one, and for data that name none."""
    if not isinstance(data, dict) or "format" not in data:
        raise ManifestError("is no manifest of a run")
    if data["format"] != FORMAT:
        raise ManifestError(
            f"is a manifest of format {shown(data['format'])}, and this version reads format {FORMAT}; "
            "use a version that reads it"
        )
    problem = number_problem(data.get("parquet_format", PARQUET_FORMAT))
    if problem is not None:
        raise ManifestError(f"says of its files: {problem}")


def check_places(manifest: Manifest) -> None:
    """Raise ManifestError for a path to which no run writes: publishing deletes what manifests name.

    A path is relative: the table (or quarantine, quality), folders KEY=VALUE, and a name. The first of the folders is
    the run's feature_spec_version. A file of a table lies in a slice to which the run contributes.
    """
    slices = {contribution.slice for contribution in manifest.contributions}
    version = f"feature_spec_version={manifest.facts.feature_spec_version}"
    for file in manifest.files:
        levels = file.path.split("/")[1:-1]
        _check_path(file.path, levels)
        if levels[0] != version:
            raise _wrong_path(file.path, f"does not lie in {version}")
        place = file.slice
        if place is not None and place not in slices:
            raise _wrong_path(file.path, "lies in no slice that the run contributes to")


def _check_path(path: str, levels: list[str]) -> None:
    """`levels`: the folders of the path below its top folder."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise _wrong_path(path, "has an empty, '.' or '..' segment")
    if "\\" in path or (not path.isprintable() and _has_control(path)):
        raise _wrong_path(path, "holds a backslash or a control character")
    if not is_column_name(path.partition("/")[0]):
        raise _wrong_path(path, "does not begin with the name of a table, quarantine or quality")
    if not levels or not all("=" in level for level in levels):
        raise _wrong_path(path, "has a folder that is no partition KEY=VALUE")


def _has_control(path: str) -> bool:
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in path)


def _wrong_path(path: str, why: str) -> ManifestError:
    return ManifestError(f"names the path {shown(path)}, which {why}")


def summary(manifest: Manifest) -> Mapping[str, Any]:
    """Give what a run made, as JSON-ready data for people and machines."""
    facts = asdict(manifest.facts)
    del facts["meaning"], facts["inputs"], facts["read"]
    bounds, replaced = manifest.facts.bounds, manifest.replaced
    return {
        **facts,
        "bounds": None if bounds is None else _with_times(bounds, "start", "end"),
        "published_at": iso_text(manifest.published_at),
        "replaced": None if replaced is None else _with_times(replaced, "published_at"),
        "slices": len(manifest.slices()),
        "rows": {table: manifest.rows(table) for table in manifest.tables},
        "files": [file.path for file in manifest.files],
    }


def _with_times(part: Any, *names: str) -> dict[str, Any]:
    """Give a part of a manifest as plain data, with these of its values as times that people read."""
    plain = asdict(part)
    return {**plain, **{name: iso_text(plain[name]) for name in names}}

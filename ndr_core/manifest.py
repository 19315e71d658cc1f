"""What a published run says of itself, and which files of an output are live.

A run replaces whole folders: the slices that it holds and the quarantine of its mini-batch. Manifests are
numbered in the order of publication; of all that name a folder the last one owns it, and the files of that
folder which it lists are live. Anything else in the folder is left over from a run that was replaced or died.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import asdict, field, frozen
from cattrs import BaseValidationError, Converter

from ndr_core.delta import DELTA_TABLE, PAIR_TABLE, QUARANTINE, DeltaPlan
from ndr_core.errors import NdrError, shown
from ndr_core.quality import QualityReport

TABLES: Final = (DELTA_TABLE, PAIR_TABLE)
REPORT: Final = "quality"
REPORT_NAME: Final = "report.json"
TOP_FOLDERS: Final = (*TABLES, QUARANTINE, REPORT)
"""The folders of an output in which runs publish files."""

STAGED_RUN: Final = re.compile(r".+-[0-9a-f]{12}")
"""The name of a run's staging place: its run id and its token."""
_TOKEN: Final = re.compile(r"[0-9a-f]{12}")
_STORED_BYTES: Final = 120
_STORABLE: Final = re.compile(r"[A-Za-z0-9._-]+")


class ManifestError(NdrError):
    """Data are no manifest, or one that names a place to which no run writes."""


@frozen
class OutputFile:
    """One published file."""

    folder: str = field(metadata={"doc": "the replaced folder that it belongs to"})
    path: str = field(metadata={"doc": "below the output's root"})
    rows: int = field(metadata={"doc": "rows of a table, records of a quarantine, else 0"})
    bytes: int
    sha256: str

    @property
    def table(self) -> str:
        return self.path.partition("/")[0]

    @property
    def partition(self) -> dict[str, str]:
        """The partition keys that the path spells."""
        return dict(part.split("=", 1) for part in self.path.split("/")[1:-1])


@frozen
class Target:
    """Where a staged file goes when its run is published."""

    staged: str = field(metadata={"doc": "path below the staging root"})
    folder: str = field(metadata={"doc": "the replaced folder that it will belong to"})
    directory: str = field(metadata={"doc": "where it will lie, below the output's root"})
    stem: str = field(metadata={"doc": "its name before the run's token"})
    suffix: str = field(metadata={"doc": "its name after the run's token"})
    rows: int

    def placed(self, token: str, size: int, sha256: str) -> OutputFile:
        """The published file, under a name that no run with another token uses."""
        path = f"{self.directory}/{self.stem}-{token}{self.suffix}"
        return OutputFile(self.folder, path, self.rows, size, sha256)


@frozen
class RunFacts:
    """What is known of a run before its files are placed."""

    project_name: str
    job_name: str
    feature_spec_version: str
    spec_sha256: str
    mini_batch_id: str
    run_id: str
    engine: str
    code_version: str
    report: QualityReport

    @classmethod
    def of(cls, plan: DeltaPlan, report: QualityReport, engine: str, code_version: str) -> RunFacts:
        spec, params = plan.spec, plan.params
        return cls(
            project_name=spec.project_name,
            job_name=spec.job_name,
            feature_spec_version=spec.feature_spec_version,
            spec_sha256=spec.content_hash(),
            mini_batch_id=params.mini_batch_id,
            run_id=params.run_id,
            engine=engine,
            code_version=code_version,
            report=report,
        )


@frozen
class Manifest:
    """One published run."""

    sequence: int = field(metadata={"doc": "place in the order of publication, from 1"})
    token: str = field(metadata={"doc": "part of the names of its files, and of no other run's"})
    facts: RunFacts
    folders: tuple[str, ...] = field(metadata={"doc": "what the run replaced, below the root"})
    files: tuple[OutputFile, ...]

    @property
    def order(self) -> tuple[int, str]:
        """Sorts manifests that name the same folders by publication, ties in one way for all."""
        return self.sequence, self.token

    def folders_apart(self, other: Manifest) -> bool:
        """Whether the two replace no folder in common."""
        return set(self.folders).isdisjoint(other.folders)

    def rows(self, table: str) -> dict[str, int]:
        """Rows of a table by role."""
        found: dict[str, int] = {}
        for file in self.files:
            if file.table == table:
                role = file.partition["role"]
                found[role] = found.get(role, 0) + file.rows
        return found

    def slices(self) -> list[str]:
        """The slices that hold rows or were asked for, as paths below a table."""
        prefix = f"{DELTA_TABLE}/"
        return sorted(f.removeprefix(prefix) for f in self.folders if f.startswith(prefix))

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready data that `from_plain` reads back."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Any) -> Manifest:
        """Read a manifest. Raises ManifestError where the data are none, or as `check_places`."""
        try:
            manifest = _CONVERTER.structure(data, cls)
        except BaseValidationError as error:
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
        """Raise ManifestError where the data that it was read from are not what this version writes.

        What a run is about to do, or did before it died, is undone only on the word of such data.
        """
        if plain_of(self.to_json()) != data:
            raise ManifestError("is a manifest of another version")
        if not _TOKEN.fullmatch(self.token):
            raise ManifestError(f"has {shown(self.token)} for its run's token")
        for file in self.files:
            if f"-{self.token}" not in file.path.rpartition("/")[2]:
                raise ManifestError(f"names {shown(file.path)}, which is no file of its run")


_CONVERTER: Final = Converter()


def plain_of(text: str | bytes) -> Any:
    """The data of JSON text. Raises ManifestError for other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError("is no manifest of a run") from error


def check_places(manifest: Manifest) -> None:
    """Raise ManifestError for a path to which no run writes: publishing deletes what manifests name.

    Paths are relative, below one of TOP_FOLDERS, and a file lies below a folder that the run replaced.
    """
    for folder in manifest.folders:
        _check_path(folder)
    folders = set(manifest.folders)
    for file in manifest.files:
        _check_path(file.path)
        if file.folder not in folders:
            raise _wrong_path(file.folder, "is not among the folders that the run replaced")
        if not file.path.startswith(f"{file.folder}/"):
            raise _wrong_path(file.path, f"does not lie below its folder {shown(file.folder)}")
        if file.table in TABLES and not all("=" in key for key in file.path.split("/")[1:-1]):
            raise _wrong_path(file.path, "has a folder that is no partition KEY=VALUE")


def _check_path(path: str) -> None:
    segments = path.split("/")
    if not {"", ".", ".."}.isdisjoint(segments):
        raise _wrong_path(path, "has an empty, '.' or '..' segment")
    if "\\" in path or any(unicodedata.category(char) in ("Cc", "Cs") for char in path):
        raise _wrong_path(path, "holds a backslash or a control character")
    if segments[0] not in TOP_FOLDERS:
        raise _wrong_path(path, f"does not lie in one of {', '.join(TOP_FOLDERS)}")


def _wrong_path(path: str, why: str) -> ManifestError:
    return ManifestError(f"names the path {shown(path)}, which {why}")


def batch_path(plan: DeltaPlan) -> str:
    """Folder of a mini-batch below quarantine and quality reports.

    A mini-batch may be run once per slice; each of these runs has a folder of its own.
    """
    version, batch = plan.spec.feature_spec_version, plan.params.mini_batch_id
    path = f"feature_spec_version={version}/mini_batch_id={batch}"
    slice_levels = plan.shared_path.partition("/")[2]
    return f"{path}/{slice_levels}" if slice_levels else path


def targets(
    plan: DeltaPlan,
    rows: Mapping[str, int],
    quarantine: Iterable[str],
    rejected: int,
    unreadable: Iterable[str],
) -> list[Target]:
    """Where all staged files of a run go, its report (staged as REPORT_NAME) included.

    `rows`: as `EngineResult.rows`; `quarantine`: the engine's file of `rejected` records, below the
    staging root; `unreadable`: names of unreadable input files, staged as `unreadable_name`.
    """
    found = []
    for number, (name, count) in enumerate(sorted(rows.items())):
        partition = name.rpartition("/")[0]
        slice_folder = partition.rpartition("/role=")[0]
        stem = f"part-{number:05}"
        found.append(Target(name, slice_folder, partition, stem, ".parquet", count))
    folder = f"{QUARANTINE}/{batch_path(plan)}"
    for name in quarantine if rejected else ():
        found.append(Target(name, folder, folder, "rejected", ".json.gz", rejected))
    for number, name in enumerate(unreadable):
        staged = unreadable_name(number, name)
        stem, suffix = f"unreadable-{number:05}", f"-{stored_name(name)}"
        found.append(Target(staged, folder, folder, stem, suffix, 0))
    folder = f"{REPORT}/{batch_path(plan)}"
    return [*found, Target(REPORT_NAME, folder, folder, "report", ".json", 0)]


def unreadable_name(number: int, name: str) -> str:
    """Under which the `number`-th unreadable input file, `name`, is staged."""
    return f"unreadable-{number:05}-{stored_name(name)}"


def stored_name(name: str) -> str:
    """A name for a copy of an input file, valid on every file system and in S3, at most 120 bytes.

    It is `name` itself where that will do. Else a hash of `name`, and its end without odd characters.
    """
    if _STORABLE.fullmatch(name) and len(name) <= _STORED_BYTES and not name.endswith("."):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    plain = "".join(char if _STORABLE.fullmatch(char) else "_" for char in name)
    return f"{digest}-{plain[len(digest) + 1 - _STORED_BYTES :].rstrip('.')}"


def replaced_folders(plan: DeltaPlan, staged: Iterable[str]) -> tuple[str, ...]:
    """Folders that a run replaces. `staged`: paths of its table files, `<table>/<partitions>/<name>`.

    With slice bounds the slice is replaced even where nothing is left to put into it.
    """
    slices = {path.partition("/")[2].partition("/role=")[0] for path in staged}
    if plan.shared_path:
        slices.add(plan.shared_path)
    tables = (f"{table}/{path}" for table in TABLES for path in slices)
    batch = batch_path(plan)
    return (*sorted(tables), f"{QUARANTINE}/{batch}", f"{REPORT}/{batch}")


def owners(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Folder -> the manifest that owns it."""
    return {
        folder: manifest
        for manifest in sorted(manifests, key=lambda manifest: manifest.order)
        for folder in manifest.folders
    }


def live_files(manifests: Iterable[Manifest]) -> list[OutputFile]:
    """The files that readers may see, sorted by path."""
    known = list(manifests)
    owner = owners(known)
    live = (file for manifest in known for file in manifest.files if owner[file.folder] is manifest)
    return sorted(live, key=lambda file: file.path)


def superseded(manifests: Iterable[Manifest]) -> tuple[list[OutputFile], list[Manifest]]:
    """Files that no longer count, and manifests that own nothing any more."""
    known = list(manifests)
    owner = owners(known)
    live = {file.path for file in live_files(known)}
    stale = [
        file
        for manifest in known
        for file in manifest.files
        if owner[file.folder] is not manifest and file.path not in live
    ]
    owning = {manifest.order for manifest in owner.values()}
    return stale, [manifest for manifest in known if manifest.order not in owning]


def summary(manifest: Manifest) -> Mapping[str, Any]:
    """What a run made, as JSON-ready data for people and machines."""
    return {
        **asdict(manifest.facts),
        "slices": len(manifest.slices()),
        "rows": {table: manifest.rows(table) for table in TABLES},
        "files": [file.path for file in manifest.files],
    }

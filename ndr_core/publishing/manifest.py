"""What a published run says of itself: its facts, the folders that it replaced, and its files."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, frozen
from cattrs import BaseValidationError, Converter

from ndr_core.errors import NdrError, shown
from ndr_core.names import is_column_name
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.quality.report import QualityReport
from ndr_core.tables.slices import SLICE_LEVELS

REPORT: Final = "quality"
"""Folder of the reports of an output."""

STAGED_RUN: Final = re.compile(r".+-[0-9a-f]{12}")
"""The name of a run's staging place: its run id and its token."""
_TOKEN: Final = re.compile(r"[0-9a-f]{12}")


class ManifestError(NdrError):
    """Data are no manifest, or one that names a place to which no run writes."""


@frozen
class OutputFile:
    """One published file."""

    folder: str
    """The replaced folder that it belongs to."""
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
    report: QualityReport | None = None
    """What the quality rules did, of a run that has some."""


@frozen
class Manifest:
    """One published run."""

    sequence: int
    """Place in the order of publication, from 1."""
    token: str
    """Part of the names of its files, and of no other run's."""
    facts: RunFacts
    folders: tuple[str, ...]
    """What the run replaced, below the output's root."""
    files: tuple[OutputFile, ...]

    @property
    def order(self) -> tuple[int, str]:
        """Sorts manifests that name the same folders by publication, ties in one way for all."""
        return self.sequence, self.token

    def folders_apart(self, other: Manifest) -> bool:
        """Whether the two replace no folder in common."""
        return set(self.folders).isdisjoint(other.folders)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it holds or was asked for, sorted."""
        return tuple(sorted({_top(folder) for folder in self.folders} - {QUARANTINE, REPORT}))

    def rows(self, table: str) -> dict[str, int]:
        """Count the rows of a table by what the levels below the slice's spell, such as the role.

        A table without such levels has all its rows under `all`.
        """
        found: dict[str, int] = {}
        for file in self.files:
            if file.table == table:
                levels = list(file.partition.values())[len(SLICE_LEVELS) :]
                part = "/".join(levels) or "all"
                found[part] = found.get(part, 0) + file.rows
        return found

    def slices(self) -> list[str]:
        """Give the slices that hold rows or were asked for, as paths below a table, sorted."""
        tables = set(self.tables)
        paths = (folder.partition("/") for folder in self.folders)
        return sorted({path for table, _, path in paths if table in tables})

    def to_plain(self) -> dict[str, Any]:
        """Give JSON-ready data that `from_plain` reads back."""
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
    """Give the data of JSON text. Raises ManifestError for other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError("is no manifest of a run") from error


def check_places(manifest: Manifest) -> None:
    """Raise ManifestError for a path to which no run writes: publishing deletes what manifests name.

    Paths are relative: a top folder, folders KEY=VALUE below it, and for a file a name. A file lies below a
    folder that the run replaced.
    """
    for folder in manifest.folders:
        _check_path(folder, folder.split("/")[1:])
    folders = set(manifest.folders)
    for file in manifest.files:
        _check_path(file.path, file.path.split("/")[1:-1])
        if file.folder not in folders:
            raise _wrong_path(file.folder, "is not among the folders that the run replaced")
        if not file.path.startswith(f"{file.folder}/"):
            raise _wrong_path(file.path, f"does not lie below its folder {shown(file.folder)}")


def _check_path(path: str, levels: list[str]) -> None:
    """`levels`: the folders of the path below its top folder."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise _wrong_path(path, "has an empty, '.' or '..' segment")
    if "\\" in path or any(unicodedata.category(char) in ("Cc", "Cs") for char in path):
        raise _wrong_path(path, "holds a backslash or a control character")
    if not is_column_name(_top(path)):
        raise _wrong_path(path, "does not begin with the name of a table, quarantine or quality")
    if not levels or not all("=" in level for level in levels):
        raise _wrong_path(path, "has a folder that is no partition KEY=VALUE")


def _top(path: str) -> str:
    return path.partition("/")[0]


def _wrong_path(path: str, why: str) -> ManifestError:
    return ManifestError(f"names the path {shown(path)}, which {why}")


def summary(manifest: Manifest) -> Mapping[str, Any]:
    """Give what a run made, as JSON-ready data for people and machines."""
    return {
        **asdict(manifest.facts),
        "slices": len(manifest.slices()),
        "rows": {table: manifest.rows(table) for table in manifest.tables},
        "files": [file.path for file in manifest.files],
    }

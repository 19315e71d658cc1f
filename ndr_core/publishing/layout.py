"""Where the files of a run lie in an output, and under which names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from ndr_core.publishing.manifest import REPORT, OutputFile, RunFacts
from ndr_core.quality.quarantine import QUARANTINE
from ndr_core.tables.slices import SLICE_LEVELS, SliceBounds, slice_path
from ndr_core.tables.table import Table

REPORT_NAME: Final = "report.json"

_STORED_BYTES: Final = 120
_STORABLE: Final = re.compile(r"[A-Za-z0-9._-]+")


@frozen
class Target:
    """Where a staged file goes when its run is published."""

    staged: str
    """Path below the staging root."""
    folder: str
    """The replaced folder that it will belong to."""
    directory: str
    """Where it will lie, below the output's root."""
    stem: str
    """Its name before the run's token."""
    suffix: str
    """Its name after the run's token."""
    rows: int

    def placed(self, token: str, size: int, sha256: str) -> OutputFile:
        """Give the published file, under a name that no run with another token uses."""
        path = f"{self.directory}/{self.stem}-{token}{self.suffix}"
        return OutputFile(self.folder, path, self.rows, size, sha256)


def batch_path(feature_spec_version: str, mini_batch_id: str, bounds: SliceBounds | None) -> str:
    """Give the folder of a mini-batch below quarantine and quality reports.

    A mini-batch may be run once per slice; each of these runs has a folder of its own.
    """
    path = f"feature_spec_version={feature_spec_version}/mini_batch_id={mini_batch_id}"
    if bounds is None:
        return path
    return f"{path}/{slice_path(feature_spec_version, bounds.start).partition('/')[2]}"


def table_targets(rows: Mapping[str, int]) -> Iterator[Target]:
    """Say where the staged files of tables go. `rows`: staged file, `<table>/<levels>/<name>` -> its rows."""
    for number, (name, count) in enumerate(sorted(rows.items())):
        directory = name.rpartition("/")[0]
        yield Target(name, _slice_folder(name), directory, f"part-{number:05}", ".parquet", count)


def quarantine_targets(
    batch: str, staged: Mapping[str, int], rejected: int, unreadable: Iterable[str]
) -> Iterator[Target]:
    """Say where what is set aside goes: the files of rejected records, and copies of unreadable input files.

    `batch`: as `batch_path`; `staged`: the engine's files of rejected records and how many each holds, of which
    empty ones stay behind; `unreadable`: names of the input files, staged as `unreadable_name`. Raises
    AssertionError where the files do not hold the `rejected` records: some would be lost.
    """
    folder = f"{QUARANTINE}/{batch}"
    if sum(staged.values()) != rejected:
        raise AssertionError(
            f"{rejected} records were rejected, and the engine staged {sum(staged.values())} of them"
        )
    files = sorted(name for name, records in staged.items() if records)
    for number, name in enumerate(files):
        yield Target(name, folder, folder, f"rejected-{number:05}", ".json.gz", staged[name])
    for number, name in enumerate(unreadable):
        stem, suffix = f"unreadable-{number:05}", f"-{stored_name(name)}"
        yield Target(unreadable_name(number, name), folder, folder, stem, suffix, 0)


def report_target(batch: str) -> Target:
    """Say where the report of a run, staged as REPORT_NAME, goes. `batch`: as `batch_path`."""
    folder = f"{REPORT}/{batch}"
    return Target(REPORT_NAME, folder, folder, "report", ".json", 0)


def replaced_folders(
    tables: Iterable[Table],
    staged: Iterable[str],
    batch: str,
    facts: RunFacts,
    bounds: SliceBounds | None,
) -> tuple[str, ...]:
    """Give the folders that a run replaces. `staged`: as the keys of `table_targets`; `batch`: as `batch_path`.

    With slice bounds the slice is replaced even where nothing is left to put into it. What the run set aside
    and its report replace those of the same mini-batch.
    """
    slices = {_slice_folder(path).partition("/")[2] for path in staged}
    if bounds is not None:
        slices.add(slice_path(facts.feature_spec_version, bounds.start))
    replaced = sorted(f"{table.name}/{path}" for table in tables for path in slices)
    if facts.report is None:
        return tuple(replaced)
    return (*replaced, f"{QUARANTINE}/{batch}", f"{REPORT}/{batch}")


def unreadable_name(number: int, name: str) -> str:
    """Give the name under which the `number`-th unreadable input file, `name`, is staged."""
    return f"unreadable-{number:05}-{stored_name(name)}"


def stored_name(name: str) -> str:
    """Make a name for a copy of an input file, valid on every file system and in S3, at most 120 bytes.

    It is `name` itself where that will do. Else a hash of `name`, and its end without odd characters.
    """
    if _STORABLE.fullmatch(name) and len(name) <= _STORED_BYTES and not name.endswith("."):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    plain = "".join(char if _STORABLE.fullmatch(char) else "_" for char in name)
    return f"{digest}-{plain[len(digest) + 1 - _STORED_BYTES :].rstrip('.')}"


def _slice_folder(path: str) -> str:
    """The folder of a table's slice that a staged file lies in."""
    return "/".join(path.split("/")[: 1 + len(SLICE_LEVELS)])

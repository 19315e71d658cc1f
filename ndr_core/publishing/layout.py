"""Where the files of a run lie in an output, and under which names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from ndr_core.publishing.manifest import REPORT, OutputFile, RunFacts
from ndr_core.quality.quarantine import QUARANTINE

REPORT_NAME: Final = "report.json"

FAILED: Final = "failed"
"""Folder of what is kept of runs that a threshold stopped: no reader looks there."""

FEATURES: Final = "features"
"""Folder, in an output of deltas, of the output of the features that are made of them: it has manifests of its own."""

_STORED_BYTES: Final = 120
_STORABLE: Final = re.compile(r"[A-Za-z0-9._-]+")


@frozen
class Target:
    """Where a staged file goes when its run is published."""

    staged: str
    """Path below the staging root."""
    directory: str
    """Where it will lie, below the output's root."""
    stem: str
    """Its name before the run's token."""
    suffix: str
    """Its name after the run's token."""
    rows: int

    @property
    def name(self) -> str:
        """Its name in a folder that holds files of this run only."""
        return f"{self.stem}{self.suffix}"

    def placed(self, token: str, size: int, sha256: str) -> OutputFile:
        """Give the published file, under a name that no run with another token uses."""
        path = f"{self.directory}/{self.stem}-{token}{self.suffix}"
        return OutputFile(path, self.rows, size, sha256)


def features_of(deltas: str) -> str:
    """Give the address of the features of an output of deltas, where nothing else is said."""
    return f"{deltas.rstrip('/')}/{FEATURES}"


def holds_published(top: str) -> bool:
    """Whether a top folder of an output holds files that its manifests name: one of a table, quarantine, reports."""
    return not top.startswith(("_", ".")) and top not in (FAILED, FEATURES)


def batch_path(facts: RunFacts) -> str:
    """Give the folder of a run's mini-batch below quarantine and quality reports."""
    return (
        f"feature_spec_version={facts.feature_spec_version}/job_name={facts.job_name}/"
        f"mini_batch_id={facts.mini_batch_id}"
    )


def failed_path(facts: RunFacts) -> str:
    """Give the folder that keeps the report and the quarantine of a run that a threshold stopped."""
    return f"{FAILED}/{facts.mini_batch_id}/{facts.run_id}"


def table_targets(rows: Mapping[str, int]) -> Iterator[Target]:
    """Say where the staged files of tables go. `rows`: staged file, `<table>/<levels>/<name>` -> its rows."""
    for number, (name, count) in enumerate(sorted(rows.items())):
        directory = name.rpartition("/")[0]
        yield Target(name, directory, f"part-{number:05}", ".parquet", count)


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
        yield Target(name, folder, f"rejected-{number:05}", ".json.gz", staged[name])
    for number, name in enumerate(unreadable):
        stem, suffix = f"unreadable-{number:05}", f"-{stored_name(name)}"
        yield Target(unreadable_name(number, name), folder, stem, suffix, 0)


def report_target(batch: str) -> Target:
    """Say where the report of a run, staged as REPORT_NAME, goes. `batch`: as `batch_path`."""
    folder = f"{REPORT}/{batch}"
    return Target(REPORT_NAME, folder, "report", ".json", 0)


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

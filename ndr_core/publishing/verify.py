"""Whether an output holds what its manifests say, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from attrs import frozen

from ndr_core.errors import NdrError
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.ownership import live_files
from ndr_core.publishing.pruned import Pruned
from ndr_core.publishing.published import WholeOutput

_STRAY: Final = (
    "belongs to no published run: to one at work, or the next run removes it if a run left it"
)


@frozen
class Finding:
    """A file that is not what it should be."""

    path: str
    """Below the output's root."""
    problem: str


@frozen
class Verified:
    """What was looked at, and what was found."""

    runs: int
    files: int
    rows: int
    bytes: int
    findings: tuple[Finding, ...]


def verify(published: WholeOutput, rows_of: Callable[[str], int]) -> Verified:
    """Compare each live file with its manifest, in size, SHA-256 and rows, and name files of no live manifest.

    `rows_of`: counts the rows of a Parquet file, named below the root; raises NdrError where it can't be read.
    Reads every byte. Other jobs may publish meanwhile: what was found is held against the manifests of the end, too.
    Raises as `WholeOutput.manifests`.
    """
    counting, pruned = published.counting()
    manifests = pruned.left(counting)
    files = live_files(manifests)
    strays = _strays(published.listed(), counting, pruned)
    findings = [finding for file in files for finding in _compared(published, file, rows_of)]
    if findings or strays:
        now, pruned = published.counting()
        live = {file.path for file in live_files(pruned.left(now))}
        findings = [finding for finding in findings if finding.path in live]
        strays = _strays(strays, now, pruned)
    findings += [Finding(path, _STRAY) for path in strays]
    return Verified(
        len(manifests),
        len(files),
        sum(file.rows for file in files if file.slice is not None),
        sum(file.bytes for file in files),
        tuple(sorted(findings, key=lambda finding: finding.path)),
    )


def _strays(paths: Iterable[str], counting: Iterable[Manifest], pruned: Pruned) -> list[str]:
    """The files that no counting manifest names. What was pruned and is not removed yet is looked at by nobody."""
    named = {file.path for manifest in counting for file in manifest.files}
    return [path for path in paths if path not in named and not pruned.of_file(path)]


def _compared(
    published: WholeOutput, file: OutputFile, rows_of: Callable[[str], int]
) -> Iterator[Finding]:
    if file.path not in published.sizes([file.path]):
        yield Finding(file.path, f"is missing; its manifest says {file.bytes:,} bytes")
        return
    digest, size = hashlib.sha256(), 0
    try:
        for piece in published.content(file.path):
            digest.update(piece)
            size += len(piece)
        if size != file.bytes:
            yield Finding(file.path, f"has {size:,} bytes, its manifest says {file.bytes:,}")
        elif digest.hexdigest() != file.sha256:
            yield Finding(file.path, "has other bytes than when it was published (SHA-256)")
        elif PurePosixPath(file.path).suffix == ".parquet" and rows_of(file.path) != file.rows:
            yield Finding(file.path, f"does not have the {file.rows:,} rows that its manifest says")
    except NdrError as error:
        yield Finding(file.path, str(error))

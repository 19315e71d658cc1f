"""Synthetic mini-batches as files: lines that are gzipped, or Parquet."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.folder import new_folder
from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.rows import parquet_file
from ndr_core.errors import UsageError


def write_synthetic(
    batch: SyntheticBatch, folder: Path, files: int, progress: Callable[[int], None]
) -> list[Path]:
    """Write the batch to `part-000.json.gz`, ... as its form says; the same batch and `files` give the same bytes.

    `progress` gets the number of lines of each file. Raises UsageError where the folder holds files already.
    """
    if files < 1:
        raise UsageError(f"files: {files} is below 1")
    new_folder(folder)
    lines = batch.lines()
    paths = []
    for number in range(files):
        size = batch.records * (number + 1) // files - batch.records * number // files
        path = folder / f"part-{number:03}{batch.form.suffix}"
        with full_disk_named(path):
            _write(path, islice(lines, size), batch.form)
        progress(size)
        paths.append(path)
    return paths


def _write(path: Path, lines: Iterable[bytes], form: Form) -> None:
    if form.typed:
        path.write_bytes(parquet_file(lines, form.typed))
        return
    header = (line.encode() for line in form.header)
    # Neither name nor time in the header: they would make equal batches differ.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
    ):
        for line in chain(header, lines):
            stream.write(line + b"\n")

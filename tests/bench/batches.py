"""Synthetic batches of any size, by all cores."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from ndr_adapters.synthetic.batch import SyntheticBatch
from ndr_adapters.synthetic.write import write_synthetic

FILES_PER_CHUNK: Final = 8
_CHUNK: Final = 1_000_000


@contextmanager
def synthetic_batch(records: int) -> Iterator[Path]:
    """A folder with the batch, gone afterwards: 8 files, or 8 for each million records, of the same network."""
    with tempfile.TemporaryDirectory() as root:
        sizes = [min(_CHUNK, records - first) for first in range(0, records, _CHUNK)]
        chunks = [Path(root, f"chunk-{number}") for number in range(len(sizes))]
        with ProcessPoolExecutor() as pool:
            list(pool.map(_write, chunks, sizes, range(len(sizes))))
        batch = Path(root, "batch")
        batch.mkdir()
        for chunk in chunks:
            for file in chunk.iterdir():
                file.rename(batch / f"{chunk.name}-{file.name}")
        yield batch


def write_files(
    lines: Iterator[bytes], records: int, folder: Path, files: int, in_one_file: float = 0.0
) -> None:
    """Write so many lines, with their line feeds, to gzip files of as even a size as can be.

    `in_one_file`: the share of the lines that goes to the first file, beside its even part of the others.
    """
    folder.mkdir(parents=True)
    large = round(records * in_one_file)
    others = records - large
    sizes = [others * (number + 1) // files - others * number // files for number in range(files)]
    sizes[0] += large
    for number, size in enumerate(sizes):
        with gzip.open(folder / f"part-{number:03}.json.gz", "wb", compresslevel=1) as stream:
            stream.writelines(islice(lines, size))


def _write(folder: Path, records: int, seed: int) -> None:
    write_synthetic(
        SyntheticBatch(records, seed, network=0), folder, FILES_PER_CHUNK, lambda _: None
    )

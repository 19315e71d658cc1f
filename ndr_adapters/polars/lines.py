"""Lines of a mini-batch as a Polars frame.

Files are unpacked and cut into lines of bounded length by the source; Polars' own reader would hold a line
whole, however long, and would tell compression from the first bytes of any text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import polars as pl
from attrs import define, field
from polars.exceptions import ComputeError
from polars.io.plugins import register_io_source

from ndr_core.errors import NdrError
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.source import InputBatch, read_named

_SCHEMA: Final = {"line": pl.String(), "undecodable": pl.Boolean()}
_LIKE_COMPRESSED: Final = (b"\x1f", b"x", b"(")
"""First bytes of gzip, zlib and zstd data, which Polars would unpack. Behind a line feed they are text."""
_FILES_AHEAD: Final = 4
"""Files whose first block is fetched while another one is read: from S3, each first answer takes its time."""

_FRAME_BYTES: Final = 8 << 20
"""Of lines, at least: a block costs some 5 ms beside what its lines cost."""


@define
class LineFeed:
    """The lines of a batch, read as a query asks for them; `failure`: why reading them ended early."""

    batch: InputBatch
    failure: NdrError | None = None
    _stopped: bool = field(default=False, init=False)

    def lines(self) -> pl.LazyFrame:
        """Columns: `line`, text, and `undecodable`, whether its bytes were no UTF-8."""
        return register_io_source(self._frames, schema=_SCHEMA, is_pure=True)

    def stop(self) -> None:
        """Have the reading end with its next block."""
        self._stopped = True

    def _frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del n_rows, batch_size  # no query here takes a head
        try:
            for block in _joined(self._blocks()):
                if self._stopped:
                    return
                frame = _line_frame(block)
                if predicate is not None:
                    frame = frame.filter(predicate)
                yield frame if with_columns is None else frame.select(with_columns)
        except NdrError as error:
            self.failure = error
            raise

    def _blocks(self) -> Iterator[bytes]:
        """The blocks of all files, one file after the other, the first blocks of the next ones fetched ahead."""
        started: deque[tuple[Iterator[bytes], Future[bytes | None]]] = deque()
        waiting = iter(self.batch.files)
        with ThreadPoolExecutor(_FILES_AHEAD) as pool:
            while True:
                for file in waiting:
                    blocks = read_named(self.batch.read_blocks, file)
                    started.append((blocks, pool.submit(next, blocks, None)))
                    if len(started) > _FILES_AHEAD:
                        break
                if not started:
                    return
                blocks, first = started.popleft()
                block = first.result()
                if block is not None:
                    yield block
                    yield from blocks


def lines_frame(blocks: Iterable[bytes]) -> pl.DataFrame:
    """The lines of blocks, in the columns of `LineFeed.lines`."""
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *map(_line_frame, blocks)])


def _joined(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks of a size that is worth a query of its own."""
    kept: list[bytes] = []
    size = 0
    for block in blocks:
        kept.append(block if block.endswith(b"\n") else block + b"\n")
        size += len(block)
        if size >= _FRAME_BYTES:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)


def _line_frame(block: bytes) -> pl.DataFrame:
    """The lines of a block."""
    try:
        if block[:1] in _LIKE_COMPRESSED:
            lines = pl.read_lines(b"\n" + block, name="line").slice(1)
        else:
            lines = pl.read_lines(block, name="line")
    except ComputeError:  # not all of it is UTF-8
        rows = [_decoded(line) for line in lines_of([block])]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    return lines.with_columns(pl.lit(False).alias("undecodable"))


def _decoded(line: bytes) -> tuple[str, bool]:
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True

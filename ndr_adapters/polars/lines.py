"""Lines of a mini-batch as a Polars frame.

Files are unpacked and cut into lines of bounded length by the source; Polars' own reader would hold a line
whole, however long, and would tell compression from the first bytes of any text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import polars as pl
from polars.exceptions import ComputeError

from ndr_adapters.polars.feed import Feed
from ndr_adapters.polars.headed import Headed, headed_blocks, joined
from ndr_core.flows.formats import FileFormat
from ndr_core.flows.json_text import MAX_LINE_BYTES
from ndr_core.flows.line_blocks import lines_of
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.source import InputBatch, read_named

HEAD: Final = "head"
"""Column: the header of a delimited line, as `header_of` reads it."""
_SCHEMA: Final = {"line": pl.String(), "void": pl.Boolean()}
_LIKE_COMPRESSED: Final = (b"\x1f", b"x", b"(")
"""First bytes of gzip, zlib and zstd data, which Polars would unpack. Behind a line feed they are text."""
_FILES_AHEAD: Final = 4
"""Files whose first block is fetched while another one is read: from S3, each first answer takes its time."""

_FRAME_BYTES: Final = 8 << 20
"""Of lines, at least: a block costs some 5 ms beside what its lines cost."""


def line_feed(batch: InputBatch, mapping: InputMapping) -> Feed:
    """The lines of a batch. Columns: `line`, text, `void`, whether it is too long or was no UTF-8, and HEAD."""

    def make() -> Iterator[pl.DataFrame]:
        return map(lines_frame, joined(_blocks(batch, mapping), _FRAME_BYTES))

    is_headed = mapping.format is FileFormat.DELIMITED
    return Feed(make, {**_SCHEMA, HEAD: pl.String()} if is_headed else _SCHEMA)


def _blocks(batch: InputBatch, mapping: InputMapping) -> Iterator[Headed]:
    """The blocks of all files, one file after the other, the first blocks of the next ones fetched ahead."""
    started: deque[tuple[Iterator[Headed], Future[Headed | None]]] = deque()
    waiting = iter(batch.files)
    with ThreadPoolExecutor(_FILES_AHEAD) as pool:
        while True:
            for file in waiting:
                blocks = headed_blocks(read_named(batch.read_blocks, file), mapping)
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


def lines_frame(blocks: Sequence[Headed]) -> pl.DataFrame:
    """The lines of blocks, each of which ends with a line feed, in the columns of `line_feed`."""
    lines = _line_frame(b"".join(block for _, block in blocks))
    heads = [head for head, _ in blocks]
    if None in heads:
        return lines
    if len(set(heads)) == 1:
        return lines.with_columns(pl.lit(heads[0]).alias(HEAD))
    counts = [block.count(b"\n") for _, block in blocks]
    return lines.with_columns(pl.Series(heads).repeat_by(pl.Series(counts)).explode().alias(HEAD))


def _line_frame(block: bytes) -> pl.DataFrame:
    """The lines of a block, without the one carriage return that may stand before a line feed."""
    try:
        if block[:1] in _LIKE_COMPRESSED:
            lines = pl.read_lines(b"\n" + block, name="line").slice(1)
        else:
            lines = pl.read_lines(block, name="line")
    except ComputeError:  # not all of it is UTF-8
        return _decoded_lines(block)
    sizes = lines["line"].str.len_bytes()
    if (sizes == MAX_LINE_BYTES).any():
        return _decoded_lines(block)  # too long, if there was a carriage return
    return lines.with_columns((sizes > MAX_LINE_BYTES).alias("void"))


def _decoded_lines(block: bytes) -> pl.DataFrame:
    """The same of a block that Polars can't read, or of which a line may be too long."""
    rows = [_decoded(line) for line in lines_of([block])]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _decoded(line: bytes) -> tuple[str, bool]:
    """The text of a line, and whether it is void. Of a line that is too long the carriage return counts, and stays."""
    is_too_long = len(line) > MAX_LINE_BYTES
    if not is_too_long:
        line = line.removesuffix(b"\r")
    try:
        return line.decode(), is_too_long
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True

"""Frames as bytes, on their way from one task to another."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias

import polars as pl
from attrs import define, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.spark.fanout.chain import Frames

Blob: TypeAlias = dict[str, bytes]
"""Name of a frame -> the frame as an Arrow IPC file."""

_ADDRESSES: Final = "address:"
"""The addresses by their numbers in the task that packed a blob."""
_LOW: Final = (1 << 32) - 1


@frozen
class Packer:
    """Packs frames of one task for other ones, in which its addresses have other numbers."""

    addresses: Addresses
    numbered: frozenset[str]

    def pack(self, frames: Iterable[tuple[str, pl.DataFrame]]) -> Blob:
        """Pack frames, each name once, with the addresses that they speak of."""
        named = list(frames)
        blob = {name: _written(frame) for name, frame in named}
        numbers = [
            low_bits(frame[column])
            for _, frame in named
            for column in numbered_columns(frame, self.numbered)
        ]
        if numbers:
            # Marking is several times faster than looking for the distinct ones.
            marks = pl.Series([False]).new_from_index(0, max(map(_end, numbers)))
            for part in numbers:
                marks.scatter(part, True)
            used = marks.arg_true().alias("number").to_frame()
            texts = used.with_columns(self.addresses.text(pl.col("number")).alias("text"))
            blob[_ADDRESSES] = _written(texts)
        return blob

    def unpack(self, blob: Blob) -> Frames:
        """Give the frames of a blob, with this task's numbers in place of those of the task that packed it."""
        packed = blob.get(_ADDRESSES)
        table = pl.Series(dtype=pl.UInt32) if packed is None else self._renumbered(_read(packed))
        for name, content in blob.items():
            if name != _ADDRESSES:
                frame = _read(content)
                columns = numbered_columns(frame, self.numbered)
                yield name, frame.with_columns(_put(frame[column], table) for column in columns)

    def _renumbered(self, texts: pl.DataFrame) -> pl.Series:
        """This task's number by the other one's."""
        numbers = texts.get_column("number")
        own = texts.select(self.addresses.number(pl.col("text"))).to_series()
        table = pl.Series([0], dtype=pl.UInt32).new_from_index(0, _end(numbers))
        return table.scatter(numbers, own)


@define
class AddressHashes:
    """Hashes of the addresses of a task, by their numbers: the same in every process."""

    addresses: Addresses
    _hashes: pl.Series = field(factory=lambda: pl.Series(dtype=pl.UInt64), init=False)

    def of(self, numbers: pl.Series) -> pl.Series:
        """Give the hashes of addresses."""
        known, end = len(self._hashes), _end(numbers)
        if end > known:
            new = pl.select(number=pl.int_range(known, end))
            texts = new.select(self.addresses.text(pl.col("number"))).to_series()
            self._hashes = pl.concat([self._hashes, texts.hash()])
        return self._hashes.gather(numbers)


def numbered_columns(frame: pl.DataFrame, numbered: Collection[str]) -> list[str]:
    """Name the columns of a frame that hold numbers of addresses; a column of text holds addresses themselves."""
    return [
        column
        for column in frame.columns
        if column in numbered and frame[column].dtype.is_integer()
    ]


def low_bits(values: pl.Series) -> pl.Series:
    """Give the numbers of the addresses in a column of those."""
    return (values & _LOW).cast(pl.UInt32)


def _end(numbers: pl.Series) -> int:
    """One more than the greatest of some numbers."""
    most = numbers.max()
    return most + 1 if isinstance(most, int) else 0


def _put(values: pl.Series, table: pl.Series) -> pl.Series:
    """Values with other numbers of addresses in them."""
    low = low_bits(values)
    return values - low.cast(values.dtype) + table.gather(low).cast(values.dtype)


def _written(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc(stream, compression="zstd")
    return stream.getvalue()


def _read(content: bytes) -> pl.DataFrame:
    return pl.read_ipc(content)

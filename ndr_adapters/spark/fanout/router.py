"""What a kernel makes, cut into the shares of the kernels that take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl
from attrs import define, field

from ndr_adapters.spark.fanout.blob import (
    AddressHashes,
    Blob,
    Packer,
    low_bits,
    numbered_columns,
)
from ndr_adapters.spark.fanout.chain import Kernel, Step

_HELD_BYTES: Final = 128 << 20
"""Of frames, before they are sent on: so many bytes a task holds at most, and as few blobs as can be made of them."""
_SHARE: Final = "share:"


@define
class Router:
    """Gathers the frames of one task and gives them on, in blobs by the number of the task that is to have them."""

    following: Step
    packer: Packer
    task: int
    _hashes: AddressHashes = field(init=False)
    _held: dict[int, dict[str, list[pl.DataFrame]]] = field(factory=dict, init=False)
    _held_bytes: int = field(default=0, init=False)
    _turn: int = field(default=0, init=False)
    """Frames without a key go to one share after the other."""

    def __attrs_post_init__(self) -> None:
        self._hashes = AddressHashes(self.packer.addresses)

    def add(self, name: str, frame: pl.DataFrame) -> Iterator[tuple[int, Blob]]:
        """Take a frame; gives what is to be sent on now. Raises AssertionError for a frame that no kernel takes."""
        takers = [kernel for kernel in self.following.kernels if name in kernel.takes]
        assert takers, f"no kernel takes {name}"
        if not frame.is_empty():
            first = 0
            for kernel in self.following.kernels:
                if kernel in takers:
                    for share, part in self._shared(frame, kernel, kernel.takes[name]):
                        parts = self._held.setdefault(first + share, {})
                        parts.setdefault(name, []).append(part)
                first += kernel.shares
            self._held_bytes += int(frame.estimated_size())
        if self._held_bytes > _HELD_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[int, Blob]]:
        """Give all that is held."""
        while self._held:
            number, frames = self._held.popitem()
            yield (
                number,
                self.packer.pack((name, pl.concat(parts)) for name, parts in frames.items()),
            )
        self._held_bytes = 0

    def _shared(
        self, frame: pl.DataFrame, kernel: Kernel, key: Sequence[str] | None
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        if key is None:
            yield from ((share, frame) for share in range(kernel.shares))
            return
        if kernel.shares == 1:
            yield 0, frame
            return
        if not key:
            self._turn += 1
            yield (self.task + self._turn) % kernel.shares, frame
            return
        share = (self._key_hashes(frame, key) % kernel.shares).cast(pl.UInt32).alias(_SHARE)
        ordered = frame.with_columns(share).sort(_SHARE)
        runs = ordered.get_column(_SHARE).rle().struct.unnest()
        offset = 0
        for length, number in runs.iter_rows():
            yield number, ordered.slice(offset, length).drop(_SHARE)
            offset += length

    def _key_hashes(self, frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
        """A number that is equal for equal keys, in every process. Of a number of an address the address counts."""
        numbered = numbered_columns(frame, self.packer.numbered)
        hashes = [
            self._hashes.of(low_bits(frame[column])) if column in numbered else frame[column].hash()
            for column in key
        ]
        total = hashes[0]
        for more in hashes[1:]:
            total = total + more  # wraps around, as it may
        return total

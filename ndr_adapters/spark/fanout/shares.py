"""How a mini-batch is cut into tasks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen

from ndr_core.flows.source import InputBatch, InputFile

_MOST_READ: Final = 16 << 20
"""Packed bytes that one task reads, where there are so many: some 300,000 records."""
_LEAST_READ: Final = 1 << 20
_TASKS_PER_CORE: Final = 2
"""Of reading, so that a core whose task was short takes another one."""
_LEAST_BUILT: Final = 4 << 20
_MOST_BUILT: Final = 24 << 20
"""Packed bytes whose results one task puts together; the memory of a Python worker must have room for them."""
_LARGE: Final = 1.5
"""Times what a task should read."""

Files = tuple[InputFile, ...]


@frozen
class Shares:
    """The tasks that work on a mini-batch."""

    files: tuple[Files, ...]
    """What each task that reads files is to read."""
    large: tuple[Files, ...]
    """What each task reads whose lines others make records of."""
    lines: int
    """Tasks that make records of those lines."""
    built: int
    """Shares of the pairs, and of what is set aside."""

    def without_lines(self) -> Shares:
        """Give the same tasks for files that have no lines: each is read by one task, which makes records of it."""
        return evolve(self, files=(*self.files, *self.large), large=(), lines=0)

    @property
    def hosts(self) -> int:
        """Shares of the hosts: one takes up to four times as long as one of pairs, where most hosts have one peer."""
        return 2 * self.built


def cut(batch: InputBatch, cores: int) -> Shares:
    """Cut a mini-batch into tasks for some cores: few for a small one, as each task and each file takes its time.

    A file that is much more than a task's share, and which only one task can unpack, is read by that one alone and
    its lines by others: so none waits for it.
    """
    weights = {file: batch.packed_bytes(file) for file in batch.files}
    total = sum(weights.values())
    each = min(max(total // (_TASKS_PER_CORE * cores), _LEAST_READ), _MOST_READ)
    large = [file for file in batch.files if weights[file] > _LARGE * each]
    small = [file for file in batch.files if weights[file] <= _LARGE * each]
    return Shares(
        files=_bins(small, weights, -(-sum(weights[file] for file in small) // each)),
        large=tuple((file,) for file in large),
        lines=-(-sum(weights[file] for file in large) // each),
        built=max(1, min(total // _LEAST_BUILT, cores), -(-total // _MOST_BUILT)),
    )


def _bins(
    files: Iterable[InputFile], weights: dict[InputFile, int], bins: int
) -> tuple[Files, ...]:
    """Files in bins of about one weight each: the heaviest first, each to the lightest bin so far."""
    held: list[tuple[int, int, list[InputFile]]] = [(0, n, []) for n in range(max(bins, 1))]
    for file in sorted(files, key=lambda one: (-weights[one], one.uri)):
        weight, number, found = heapq.heappop(held)
        heapq.heappush(held, (weight + weights[file], number, [*found, file]))
    return tuple(tuple(found) for _, _, found in sorted(held, key=lambda one: one[1]) if found)

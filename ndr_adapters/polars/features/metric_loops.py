"""Loops over the cells of many histograms, compiled by numba when they are first called.

Polars goes through all cells once for each step of an expression. Here each cell is looked at once or twice.
`metric_cells.loops` imports this where it is needed.

Arrays of cells are as long as each other. Cells are sorted by group and bucket, each once, unless said otherwise.
Buckets begin at UNKNOWN, and none is above the last one: `exploded` sees to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ndr_adapters.polars.features.metric_buckets import BUCKETS
from ndr_core.baselines.metrics import UNKNOWN

Groups = NDArray[np.uint64]
Ints = NDArray[np.int64]
Cells = tuple[Groups, Ints, Ints]
"""Group, bucket and count of each cell."""

_ALL_BUCKETS: Final = BUCKETS - UNKNOWN
_MEDIAN: Final = 50
_WORD: Final = 64

_R = TypeVar("_R")


def merged(cells: Cells, others: Cells, sign: int) -> Cells:
    """Add other cells, times `sign`, to cells. Cells of which nothing is left are gone.

    `cells`: in any order. It is several times faster where the cells of each group lie together and are in order.
    """
    fixed = _fixed(cells)
    found = _room(len(cells[0]) + len(others[0]))
    size = _merge(*fixed, *_runs(fixed), *_fixed(others), sign, *found)
    if size < 0:
        return merged(ordered(cells), others, sign)
    return _cut(found, size)


def ordered(cells: Cells) -> Cells:
    """Put cells in order and add up those that are equal: they may come in any order, any number of times."""
    fixed = _fixed(cells)
    if _is_ordered(*fixed):
        return cells
    runs = _runs(fixed)
    found = _room(len(cells[0]))
    size = _merge(*fixed, *runs, *_fixed(_room(0)), 1, *found)
    return _cut(found, _add_up(*fixed, *runs, *found) if size < 0 else size)


def totals(groups: Groups, cells: Cells) -> Ints:
    """Add up the counts of each group, 0 where it has no cell. `groups`: in order, each once."""
    found = np.zeros(len(groups), np.int64)
    of_cells, _, counts = _fixed(cells)
    _total(*_fixed((groups,)), of_cells, counts, found)
    return found


def readouts(
    groups: Groups, zeros: Ints, cells: Cells, middles: Ints, percents: Sequence[int]
) -> NDArray[np.int64]:
    """Read off the samples of each group: those of unknown value are left out.

    Gives a row for the number of samples, one for each of `percents`, and the last for the median distance from the
    median. Without samples all are 0.

    `groups`: in order, each once; `zeros`: samples in bucket 0 that are in no cell; `middles`: by bucket; `percents`:
    from the lowest on, 50 among them.
    """
    found = np.zeros((len(percents) + 2, len(groups)), np.int64)
    _read_off(
        *_fixed((groups, zeros)), *_fixed(cells), *_fixed((middles, np.array(percents))), found
    )
    return found


def _fixed(arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Arrays that can't be written to, as those of Polars are: for others a loop would be compiled once more."""
    found = [array.view() for array in arrays]
    for array in found:
        array.setflags(write=False)
    return found


def _runs(cells: Sequence[NDArray[Any]]) -> tuple[Ints, Ints]:
    """The places where runs of cells of one group begin, and the end of the last; the runs, sorted by their group."""
    groups = cells[0]
    starts = np.empty(len(groups) + 1, np.int64)
    starts = starts[: _find_runs(groups, starts) + 1]
    return starts, np.argsort(groups[starts[:-1]], kind="stable")


def _room(size: int) -> Cells:
    """Arrays for so many cells. numpy's own take large pages of memory; those of a compiled loop do not."""
    return np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.int64)


def _cut(cells: Cells, size: int) -> Cells:
    groups, buckets, counts = cells
    return groups[:size], buckets[:size], counts[:size]


def _compiled(loop: Callable[..., _R]) -> Callable[..., _R]:
    # Without the lock of the interpreter: the main thread hears of signals meanwhile. Nothing is kept on disk: the
    # project may be imported from an archive, or by a user who owns no folder.
    return cast(Callable[..., _R], numba.njit(nogil=True)(loop))


@_compiled
def _is_ordered(groups: Groups, buckets: Ints, counts: Ints) -> bool:
    """Whether cells are in order, each once, and none is of 0."""
    for place in range(len(groups)):
        if counts[place] == 0 or (place > 0 and groups[place] < groups[place - 1]):
            return False
        if (
            place > 0
            and groups[place] == groups[place - 1]
            and buckets[place] <= buckets[place - 1]
        ):
            return False
    return True


@_compiled
def _find_runs(groups: Groups, starts: Ints) -> int:
    """Gives how many runs of one group there are. `starts` gets where they begin, and the end of the last."""
    runs = 0
    for place in range(len(groups)):
        if place == 0 or groups[place] != groups[place - 1]:
            starts[runs] = place
            runs += 1
    starts[runs] = len(groups)
    return runs


@_compiled
def _merge(
    groups: Groups,
    buckets: Ints,
    counts: Ints,
    starts: Ints,
    order: Ints,
    other_groups: Groups,
    other_buckets: Ints,
    other_counts: Ints,
    sign: int,
    found_groups: Groups,
    found_buckets: Ints,
    found_counts: Ints,
) -> int:
    """Gives how many cells were found: -1 where those of a group do not lie together, or are not in order."""
    others = len(other_groups)
    other = end = 0
    for number in range(len(order) + 1):
        is_last = number == len(order)
        start = stop = 0
        group = np.uint64(0)
        if not is_last:
            start, stop = starts[order[number]], starts[order[number] + 1]
            group = groups[start]
            if number > 0 and groups[starts[order[number - 1]]] == group:
                return -1
        while other < others and (is_last or other_groups[other] < group):
            found_groups[end] = other_groups[other]
            found_buckets[end] = other_buckets[other]
            found_counts[end] = sign * other_counts[other]
            other += 1
            end += 1
        of_group = other
        while of_group < others and other_groups[of_group] == group:
            of_group += 1
        for place in range(start, stop):
            bucket = buckets[place]
            if place > start and bucket <= buckets[place - 1]:
                return -1
            while other < of_group and other_buckets[other] < bucket:
                found_groups[end] = group
                found_buckets[end] = other_buckets[other]
                found_counts[end] = sign * other_counts[other]
                other += 1
                end += 1
            count = counts[place]
            if other < of_group and other_buckets[other] == bucket:
                count += sign * other_counts[other]
                other += 1
            if count != 0:
                found_groups[end] = group
                found_buckets[end] = bucket
                found_counts[end] = count
                end += 1
    return end


@_compiled
def _add_up(
    groups: Groups,
    buckets: Ints,
    counts: Ints,
    starts: Ints,
    order: Ints,
    found_groups: Groups,
    found_buckets: Ints,
    found_counts: Ints,
) -> int:
    """Gives how many cells were found."""
    sums = np.zeros(_ALL_BUCKETS, np.int64)
    # A bit for each bucket that is met: so they are found again in order, without a sort.
    words = np.zeros(_ALL_BUCKETS // _WORD + 1, np.uint64)
    one = np.uint64(1)
    end = first = 0
    while first < len(order):
        group = groups[starts[order[first]]]
        least, most = len(words), -1
        while first < len(order) and groups[starts[order[first]]] == group:
            run = order[first]
            for place in range(starts[run], starts[run + 1]):
                bucket = buckets[place] - UNKNOWN
                word = bucket // _WORD
                words[word] |= one << np.uint64(bucket % _WORD)
                sums[bucket] += counts[place]
                least, most = min(least, word), max(most, word)
            first += 1
        for word in range(least, most + 1):
            bits = words[word]
            words[word] = 0
            bucket = word * _WORD
            while bits != 0:
                if bits & one and sums[bucket] != 0:
                    found_groups[end] = group
                    found_buckets[end] = bucket + UNKNOWN
                    found_counts[end] = sums[bucket]
                    sums[bucket] = 0
                    end += 1
                bits >>= one
                bucket += 1
    return end


@_compiled
def _total(wanted: Groups, groups: Groups, counts: Ints, found: Ints) -> None:
    place = 0
    for number in range(len(wanted)):
        while place < len(groups) and groups[place] < wanted[number]:
            place += 1
        while place < len(groups) and groups[place] == wanted[number]:
            found[number] += counts[place]
            place += 1


@_compiled
def _read_off(
    wanted: Groups,
    zeros: Ints,
    groups: Groups,
    buckets: Ints,
    counts: Ints,
    middles: Ints,
    percents: Ints,
    found: NDArray[np.int64],
) -> None:
    end = 0
    for number in range(len(wanted)):
        while end < len(groups) and groups[end] < wanted[number]:
            end += 1
        first = end
        # The zeros are one more cell, before the first.
        here = zeros[number]
        samples = here
        while end < len(groups) and groups[end] == wanted[number]:
            if buckets[end] < 0:
                first += 1
            else:
                samples += counts[end]
            end += 1
        if samples <= 0:
            continue
        found[0, number] = samples
        place = of_median = first - 1
        median = 0
        held = here
        for which in range(len(percents)):
            rank = (percents[which] * samples + 99) // 100
            while held < rank and place + 1 < end:
                place += 1
                held += counts[place]
            value = middles[buckets[place]] if place >= first else 0
            found[1 + which, number] = value
            if percents[which] == _MEDIAN:
                of_median, median = place, value
        # From the median outward, the nearer of both sides first, until half of the samples are met.
        below, above = of_median, of_median + 1
        met = distance = 0
        while met < (samples + 1) // 2:
            down = median - middles[buckets[below]] if below >= first else median
            has_below = below >= first or (below == first - 1 and here != 0)
            has_above = above < end
            if not has_below and not has_above:
                break
            if has_above and (not has_below or middles[buckets[above]] - median < down):
                distance = middles[buckets[above]] - median
                met += counts[above]
                above += 1
            else:
                distance = down
                met += counts[below] if below >= first else here
                below -= 1
        found[len(percents) + 1, number] = distance


@frozen
class Loops:
    """The loops over cells, for who imports them when they are needed."""

    merged: Callable[[Cells, Cells, int], Cells] = merged
    ordered: Callable[[Cells], Cells] = ordered
    totals: Callable[[Groups, Cells], Ints] = totals
    readouts: Callable[[Groups, Ints, Cells, Ints, Sequence[int]], Ints] = readouts


LOOPS: Final = Loops()

"""What a builder gives the fan-out: kernels over Polars frames, each with the keys by which its input is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias

import polars as pl
from attrs import define, field, frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_core.progress import Meter

Frames: TypeAlias = Iterator[tuple[str, pl.DataFrame]]
"""Named frames, one after the other; a name may come more than once."""


@define
class Task:
    """One try to run a kernel on one share of its input."""

    share: int
    inputs: Frames
    """What kernels of the step before made for this share, as it arrives."""
    order: Any
    """What the step itself gave this task to do, in place of `inputs`; None for a task with a share."""
    addresses: Addresses
    """Numbers of the addresses in the frames of this task, those of `inputs` and those that it makes."""
    token: str
    """In the names of the files that this try writes, and of no other: one that is lost leaves files behind."""
    count: Callable[[int, int], None]
    """Takes note of bytes, as they lie in the input, and records that were read."""

    def gathered(self) -> dict[str, pl.DataFrame]:
        """Give all inputs, the frames of one name as one."""
        found: dict[str, list[pl.DataFrame]] = {}
        for name, frame in self.inputs:
            found.setdefault(name, []).append(frame)
        return {name: pl.concat(frames) for name, frames in found.items()}


@frozen
class Kernel:
    """A function of frames that many tasks run, each on one share of its input.

    A kernel may run several times for one share, as tasks that are lost are run again: it must give the same rows
    each time, and write files under names with its task's token only.
    """

    name: str
    run: Callable[[Task], Frames]
    """Other processes get a copy of it, by pickle."""
    takes: Mapping[str, tuple[str, ...] | None] = field(factory=dict)
    """Name of a frame -> its key columns: rows with equal keys meet in one share; without a key any share will do.

    None: every share gets all rows of the frame.
    """
    shares: int = 1


@frozen
class Step:
    """Kernels that run side by side, on what the step before made."""

    kernels: tuple[Kernel, ...]
    orders: tuple[Any, ...] = ()
    """Work that comes from no step before: one more task of the first kernel for each."""

    @property
    def shares(self) -> int:
        """Shares of all kernels, which come one kernel after the other; tasks with orders come last."""
        return sum(kernel.shares for kernel in self.kernels)

    @property
    def tasks(self) -> int:
        return self.shares + len(self.orders)

    def kernel_of(self, task: int) -> tuple[Kernel, int]:
        """Give the kernel that a task of this number runs, and the number of its share among the kernel's own."""
        share = task
        for kernel in self.kernels:
            if share < kernel.shares:
                return kernel, share
            share -= kernel.shares
        return self.kernels[0], self.kernels[0].shares + share


@frozen
class Chain:
    """Steps, one after the other; between two of them Spark shuffles. What the last step makes is the result."""

    steps: tuple[Step, ...]
    numbered: frozenset[str] = frozenset()
    """Integer columns whose lowest 32 bits are the number of an address, in whichever frame they are."""

    def number_of(self, step: int, partition: int) -> int:
        """Give the number of a task of a step, by Spark's number. The first step has tasks with orders only."""
        return partition + self.steps[0].shares if step == 0 else partition


class ChainRunner(Protocol):
    """Runs chains: on a cluster, or wherever else there are cores."""

    @property
    def cores(self) -> int:
        """Tasks that can run at once."""
        ...

    def run(self, chain: Chain, meter: Meter) -> Mapping[str, pl.DataFrame]:
        """Give what the last step of a chain makes, the frames of one name as one. Raises the NdrError of a kernel."""
        ...

"""One task of Spark: a kernel on its share, from blobs to blobs. Here Polars can be imported (see `worker`)."""

from __future__ import annotations

import itertools
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.spark.fanout.blob import Blob, Packer
from ndr_adapters.spark.fanout.chain import Chain, Frames, Kernel, Task
from ndr_adapters.spark.fanout.router import Router
from ndr_adapters.spark.fanout.worker import Order
from ndr_core.errors import NdrError

FAILURE: Final = "failure:"
"""In place of a frame: an error that would come again with each try, and that ends the run."""


@frozen
class StepTask:
    """Runs the tasks of one step of a chain."""

    chain: Chain
    step: int

    def __call__(
        self, number: int, items: Iterable[Blob | Order], count: Callable[[int, int], None]
    ) -> Iterator[tuple[int, Blob]]:
        """Run the task of a number. `items`: blobs for it, or one order.

        Gives blobs, each with the number of the next step's task that is to have it; those of the last step are
        the result. A failure that each try would meet is passed on as data; anything else is raised, and Spark
        tries again.
        """
        number = self.chain.number_of(self.step, number)
        kernel, share = self.chain.steps[self.step].kernel_of(number)
        packer = Packer(Addresses(), self.chain.numbered)
        received = iter(items)
        order = None
        blobs: Iterator[Blob] = iter(())
        for first in received:
            if isinstance(first, Order):
                order = first.work
            else:
                blobs = itertools.chain([first], received)  # type: ignore[arg-type]  # an order comes alone
            break
        task = Task(
            share=share,
            inputs=_frames_of(blobs, packer),
            order=order,
            addresses=packer.addresses,
            token=f"{share:05}-{uuid.uuid4().hex[:12]}",
            count=count,
        )
        try:
            yield from self._run(kernel, task, packer, number)
        except NdrError as error:
            yield from self._failed(error)
        except MemoryError as error:
            raise MemoryError(f"in share {share} of {kernel.name}") from error

    def _run(
        self, kernel: Kernel, task: Task, packer: Packer, number: int
    ) -> Iterator[tuple[int, Blob]]:
        if self._is_last:
            for name, frame in kernel.run(task):
                yield 0, packer.pack([(name, frame)])
            return
        router = Router(self.chain.steps[self.step + 1], packer, number)
        for name, frame in kernel.run(task):
            yield from router.add(name, frame)
        yield from router.rest()

    def _failed(self, error: NdrError) -> Iterator[tuple[int, Blob]]:
        """Tell all tasks of the next step, each of which then does nothing but tell its own."""
        blob = {FAILURE: pickle.dumps(error)}
        tasks = 1 if self._is_last else self.chain.steps[self.step + 1].shares
        yield from ((number, blob) for number in range(tasks))

    @property
    def _is_last(self) -> bool:
        return self.step == len(self.chain.steps) - 1


def _frames_of(blobs: Iterable[Blob], packer: Packer) -> Frames:
    for blob in blobs:
        if FAILURE in blob:
            raise pickle.loads(blob[FAILURE])  # noqa: S301 - of another task of this run
        yield from packer.unpack(blob)


def results_of(blobs: Iterable[Blob]) -> dict[str, pl.DataFrame]:
    """Give what the last step made, the frames of one name as one. Raises the NdrError of a kernel."""
    found: dict[str, list[pl.DataFrame]] = {}
    for name, frame in _frames_of(blobs, Packer(Addresses(), frozenset())):
        found.setdefault(name, []).append(frame)
    return {name: pl.concat(frames) for name, frames in found.items()}

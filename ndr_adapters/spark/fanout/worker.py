"""What Spark's Python workers run: they learn of Polars only by running it, as it may have to be unpacked first."""

from __future__ import annotations

import gc
import os
import pickle
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import frozen
from pyspark import Accumulator

from ndr_adapters.spark.runtime.wheels import provide_wheels


@frozen
class Order:
    """Work for one task that comes from no step before."""

    work: Any


_THREADS: Final = "POLARS_MAX_THREADS"


@frozen
class WorkerTask:
    """A task that can be unpickled where Polars can't be imported yet.

    It gives what the next step is to have as `shuffled` says; the last step gives blobs.
    """

    work: bytes
    """A `StepTask`."""
    is_last: bool
    threads: int
    read_bytes: Accumulator[int]
    read_records: Accumulator[int]

    def __call__(self, number: int, items: Iterable[Any]) -> Iterator[Any]:
        """Run the task of a number in this process."""
        # Spark runs a worker for each core: with threads for each core, they would only wait for each other.
        os.environ.setdefault(_THREADS, str(self.threads))
        if not provide_wheels():
            raise ModuleNotFoundError("polars: neither installed here nor sent with the job")
        run = pickle.loads(self.work)  # noqa: S301 - of this run's driver
        # Spark has this process look for garbage after each task: what was imported is none.
        gc.freeze()
        rest = iter(items)
        received = (pickle.loads(item) for item in rest)  # noqa: S301 - of this run's tasks
        for task, blob in run(number, received, self._count):
            if self.is_last:
                yield blob
            else:
                yield from shuffled(task, pickle.dumps(blob, pickle.HIGHEST_PROTOCOL))
        # Spark ends a worker that has not read all, in place of giving it the next task.
        for _ in rest:
            pass

    def _count(self, packed_bytes: int, records: int) -> None:
        self.read_bytes.add(packed_bytes)
        self.read_records.add(records)


def shuffled(task: int, content: bytes) -> Iterator[bytes]:
    """Give a record as Spark's shuffle takes it from Python: the number of the task that is to have it, the bytes."""
    yield struct.pack("!q", task)
    yield content

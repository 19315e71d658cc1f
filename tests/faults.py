"""Chains in which one task meets a fault, once: executors that are killed, tasks that fail or hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import psutil
from attrs import evolve, frozen

from ndr_adapters.spark.fanout.chain import Chain, ChainRunner, Frames, Task
from ndr_core.progress import Meter


@frozen
class Once:
    """A kernel that does all its work, then meets a fault: in the first task that gets there, and in no other."""

    run: Callable[[Task], Frames]
    met: Path
    """Made by the task that meets the fault."""
    fault: Callable[[], None]

    def __call__(self, task: Task) -> Frames:
        made = list(self.run(task))
        if made:
            try:
                self.met.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                self.fault()
        yield from made


@frozen
class FaultyRunner:
    """Runs chains in which a step meets a fault."""

    runner: ChainRunner
    step: int
    fault: Callable[[], None]
    met: Path

    @property
    def cores(self) -> int:
        return self.runner.cores

    def run(self, chain: Chain, meter: Meter) -> Mapping[str, pl.DataFrame]:
        step = chain.steps[self.step]
        kernels = tuple(
            evolve(kernel, run=Once(kernel.run, self.met, self.fault)) for kernel in step.kernels
        )
        steps = list(chain.steps)
        steps[self.step] = evolve(step, kernels=kernels)
        return self.runner.run(evolve(chain, steps=tuple(steps)), meter)


def kill_executor() -> None:
    """Kill the JVM that runs this task."""
    java = next(p for p in psutil.Process().parents() if "java" in p.name())
    os.kill(java.pid, signal.SIGKILL)
    time.sleep(60)  # it ends with the JVM


def fail() -> None:
    raise OSError("a fault of the moment")


def hang() -> None:
    """Wait for another try of this task to overtake it."""
    time.sleep(60)


FAULTS: Mapping[str, Callable[[], None]] = {"kill": kill_executor, "fail": fail, "hang": hang}

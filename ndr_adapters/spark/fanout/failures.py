"""What ended a chain on Spark, in words a user can act on: which kernel, which share, and what to set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ndr_adapters.full_disk import FullDiskError, full_disk_reason
from ndr_adapters.spark.fanout.chain import Chain
from ndr_adapters.spark.runtime.internals import root_cause
from ndr_core.errors import NdrError

_TASK: Final = re.compile(
    r"Task (?P<task>\d+) in stage (?P<stage>\d+)\.\d+ failed (?P<tries>\d+) times, most recent failure: "
    r"Lost task [^\n]*?\(TID \d+\) \([^)]*\): (?P<cause>.*?)(?=\n\s+at |\n*Driver stacktrace|\Z)",
    re.DOTALL,
)
_RAISED: Final = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$", re.MULTILINE)
"""The line of a Python trace that says what was raised: others are indented, or have more words before a colon."""
_MEMORY: Final = (
    "MemoryError",
    "Python worker exited unexpectedly",
    "memory allocation of",
    "exceeding memory limits",
    "physical memory",
    "ExecutorLostFailure",
)
"""Of a worker that was ended from outside no more is known than that it is gone: most often memory is why."""
_ADVICE: Final = (
    "where its Python worker ran out of memory, give each one more: take a larger instance type, raise "
    "spark.executor.memoryOverhead, or let fewer run at a time by spark.executor.cores"
)


class TaskFailedError(NdrError):
    """A task of a chain failed each time that it was tried."""


def task_failure(
    error: Exception, chain: Chain, stages: Sequence[int], local_folder: str
) -> NdrError:
    """Say what an error of Spark means for a chain.

    `stages`: the numbers of Spark's stages, one for each step. `local_folder`: where Spark keeps what it shuffles.
    """
    text = str(error)
    reason = full_disk_reason(error)
    if reason is not None:
        return FullDiskError(local_folder, reason)
    failed = _TASK.search(text)
    if failed is None:
        return TaskFailedError(f"spark: {root_cause(error)}")
    place = _place(chain, stages, failed)
    cause = _cause(failed["cause"])
    advice = f"; {_ADVICE}" if any(sign in cause for sign in _MEMORY) else ""
    return TaskFailedError(f"spark: {place} failed {failed['tries']} times: {cause}{advice}")


def _place(chain: Chain, stages: Sequence[int], failed: re.Match[str]) -> str:
    number, stage = int(failed["task"]), int(failed["stage"])
    if stage not in stages[: len(chain.steps)]:
        return f"task {number}"
    place = stages.index(stage)
    kernel, share = chain.steps[place].kernel_of(chain.number_of(place, number))
    if share < kernel.shares:
        return f"share {share + 1} of {kernel.shares} of {kernel.name}"
    return f"order {share - kernel.shares + 1} of {len(chain.steps[place].orders)} of {kernel.name}"


def _cause(text: str) -> str:
    raised = _RAISED.findall(text) if "Traceback (most recent call last)" in text else []
    return (raised[-1] if raised else text.strip().split("\n")[0]).strip()

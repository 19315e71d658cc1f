"""How many tasks the work after the shuffle is cut into."""

from __future__ import annotations

from typing import Final

INPUT_BYTES_PER_TASK: Final = 4 << 20
_MOST_INPUT_BYTES_PER_TASK: Final = 32 << 20
"""Compressed; the views of a record take about ten times its room in the input, and two tasks share 2 GiB."""
_TASKS_PER_CORE: Final = 2
"""So that a core whose task was short takes another one."""


def tasks_for(input_bytes: int, bytes_per_task: int, partitions: int, cores: int) -> int:
    """Few tasks for a small batch, and no more than keep all cores busy: in S3, each file costs its task some seconds.

    `partitions`: what the session is set to, which only a large batch exceeds.
    """
    wanted = min(partitions, _TASKS_PER_CORE * cores, -(-input_bytes // bytes_per_task))
    return max(1, wanted, -(-input_bytes // _MOST_INPUT_BYTES_PER_TASK))

"""The memory of the processes that benchmarks measure."""

from __future__ import annotations

import os

from ndr_entrypoints.allocator import VARIABLE, keep_freed_memory


def children_keep_freed_memory() -> None:
    """Let the processes that this one starts keep freed memory, as commands do.

    Polars has put its own setting into the environment as it was imported here, and children would take that.
    """
    os.environ.pop(VARIABLE, None)
    keep_freed_memory()

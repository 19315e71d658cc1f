"""How the allocator of Polars' memory is set up. To be called before Polars is imported."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "_RJEM_MALLOC_CONF"
"""Environment variable that jemalloc, which Polars is built with, reads once, when it is loaded."""
_KEEP_MS: Final = 10_000


def keep_freed_memory() -> None:
    """Keep freed memory for the next step of a build, in as many pools as there are processors.

    Otherwise it goes back to the machine after half a second, and each step waits until the machine gives it anew, full
    of zeros. What the environment says already is left as it is.
    """
    pools = os.cpu_count() or 1
    os.environ.setdefault(VARIABLE, f"dirty_decay_ms:{_KEEP_MS},narenas:{pools}")

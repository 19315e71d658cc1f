"""What is to be done when a process ends."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable


def at_end(clean: Callable[[], object]) -> None:
    """Call a function when this process ends in order: not when a copy of it ends, which `fork` has made."""
    owner = os.getpid()

    def clean_own() -> None:
        if os.getpid() == owner:
            clean()

    atexit.register(clean_own)

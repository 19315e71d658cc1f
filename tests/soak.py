"""How much the tests try: a sample for each change, the full matrix for `make soak`."""

from __future__ import annotations

import os
from typing import Final

import pytest

SOAK: Final = int(os.environ.get("NDR_SOAK", "0"))
"""0: the sample. Else every case, and so many times the random examples that a test names."""

only_in_soak: Final = pytest.mark.skipif(not SOAK, reason="only in the full matrix: make soak")


def examples(sample: int) -> int:
    """Random examples to try: half of these in a sample for each change."""
    return sample * SOAK if SOAK else -(-sample // 2)

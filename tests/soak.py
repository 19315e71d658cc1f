"""How much the tests try: a sample for each change, the full matrix for `make soak`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import product
from typing import Any, Final

import pytest

SOAK: Final = int(os.environ.get("NDR_SOAK", "0"))
"""0: the sample. Else every case, and so many times the random examples that a test names."""

_SPARKS: Final = ("spark", "spark-sql")
_ENGINES: Final = ("reference", "polars", *_SPARKS)

only_in_soak: Final = pytest.mark.skipif(not SOAK, reason="only in the full matrix: make soak")


def examples(sample: int) -> int:
    """Random examples to try: a quarter of these in a sample for each change."""
    return sample * SOAK if SOAK else -(-sample // 4)


def by_engines(cases: Iterable[Any], *of_spark: Any) -> list[Any]:
    """Give (engine, case), for `parametrize`: the reference and Polars try all, Spark `of_spark`, in the soak all."""
    return [
        pytest.param(
            engine,
            case,
            marks=only_in_soak if engine in _SPARKS and case not in of_spark else (),
        )
        for engine, case in product(_ENGINES, cases)
    ]

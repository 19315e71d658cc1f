"""Plots of how a figure grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

Curve = tuple[Sequence[float], Sequence[float]]
"""Places on both axes."""


def log_log(curves: Mapping[str, Curve], across: str, up: str, path: Path) -> None:
    """Write curves by their labels, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.5, 4.2))
    for label, places in curves.items():
        axis.loglog(*places, "o-", label=label)
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    axis.grid(visible=True, which="both", alpha=0.3)
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=130)

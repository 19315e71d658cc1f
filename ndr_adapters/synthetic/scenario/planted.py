"""What is planted on the last day: attacks, and one change that is none, each on an ordinary client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl
from attrs import frozen

from ndr_adapters.synthetic.scenario import attacks
from ndr_adapters.synthetic.scenario.place import Place
from ndr_adapters.synthetic.scenario.population import Population
from ndr_adapters.synthetic.scenario.sessions import as_sessions
from ndr_core.times import DAY_US, SECOND_US

ROLE_CHANGE: Final = "role_change"

KINDS: Final[Sequence[tuple[str, Callable[[Place], pl.DataFrame], tuple[str, ...]]]] = (
    ("port_sweep", attacks.port_sweep, ("hscan_max_peers", "trw_bits", "scan_score")),
    ("vertical_scan", attacks.vertical_scan, ("vscan_max_ports", "scan_score")),
    ("jittered_beacon", attacks.jittered_beacon, ("beacon_threat",)),
    ("unanswered_beacon", attacks.unanswered_beacon, ("beacon_threat",)),
    ("ssh_brute_force", attacks.ssh_brute_force, ("brute_score",)),
    ("lateral_movement", attacks.lateral_movement, ("lateral_score",)),
    ("exfiltration", attacks.exfiltration, ("exfil_score",)),
    ("deny_burst", attacks.deny_burst, ("anomaly_strength",)),
    (ROLE_CHANGE, attacks.role_change, ("anomaly_strength",)),
)
"""Kind, what makes its sessions, and the measures that should tell its host."""


@frozen
class Planting:
    """One thing that was planted."""

    kind: str
    host: int
    """By the number of the address book."""
    measures: tuple[str, ...]
    """Columns of features that should tell the host."""
    sessions: pl.DataFrame


def plantings(population: Population) -> list[Planting]:
    """Give what is planted on the last day, each on a host of its own."""
    found = []
    for (kind, make, measures), host in zip(KINDS, population.uses["planted"], strict=True):
        place = Place(population, host, population.draws.of("planted", kind))
        found.append(Planting(kind, host, measures, _logged(as_sessions(make(place)), place)))
    return found


def _logged(sessions: pl.DataFrame, place: Place) -> pl.DataFrame:
    """All end, and so are logged, before the day does."""
    left_us = pl.lit(place.day_us + DAY_US - SECOND_US) - pl.col("start_us")
    return sessions.with_columns(duration_us=pl.min_horizontal("duration_us", left_us))


def still_ordinary(planted: Sequence[Planting]) -> pl.Expr:
    """Whether an ordinary session stays: those of a host that changes its role end when it does."""
    stays = pl.lit(True)
    for planting in planted:
        if planting.kind == ROLE_CHANGE:
            begin = planting.sessions.select(pl.col("start_us").min()).item()
            stays &= (pl.col("source") != planting.host) | (pl.col("start_us") < begin)
    return stays

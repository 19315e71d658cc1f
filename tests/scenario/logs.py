"""A scenario as it was written: its list, and its records read back from the files."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from attrs import frozen

from ndr_adapters.synthetic.scenario.size import Size
from ndr_adapters.synthetic.scenario.write import write_scenario

REFUSED = ("deny", "drop", "reset-both")


@frozen
class Written:
    folder: Path

    @classmethod
    def new(cls, folder: Path, **size: int) -> Written:
        write_scenario(Size(**size), folder, lambda _days: None)
        return cls(folder)

    @property
    def listing(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "scenario.json").read_text())
        return found

    def planted(self, kind: str) -> dict[str, Any]:
        (found,) = [one for one in self.listing["planted"] if one["kind"] == kind]
        return dict(found)

    def addresses(self, what: str) -> list[str]:
        """All that the list has under `servers` or `outside`, of each kind."""
        return [address for kind in self.listing[what].values() for address in kind]

    def days(self) -> list[str]:
        return sorted(path.name.removeprefix("dt=") for path in (self.folder / "logs").iterdir())

    def sessions(self, *days: str) -> pl.DataFrame:
        """Records but those of threats, with `logged` as a time and `failed`: refused, or not answered."""
        ports = {"source_port": pl.Int64, "destination_port": pl.Int64}
        files = [
            path
            for day in days
            for path in sorted((self.folder / "logs" / f"dt={day}").rglob("*.gz"))
        ]
        records = pl.concat([pl.read_ndjson(path, schema_overrides=ports) for path in files])
        return records.filter(pl.col("event_name") == "TRAFFIC").with_columns(
            start=pl.col("event_start").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ"),
            logged=pl.col("event_end").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ"),
            failed=(pl.col("destination_bytes") == 0) | pl.col("event_action").is_in(REFUSED),
        )

    def last_day(self) -> pl.DataFrame:
        return self.sessions(self.days()[-1])

    def days_before(self) -> pl.DataFrame:
        return self.sessions(*self.days()[:-1])


def of(sessions: pl.DataFrame, planted: dict[str, Any]) -> pl.DataFrame:
    """The sessions of a planting: from its host, to its peers and ports, in its time."""
    return sessions.filter(
        pl.col("source_ip") == planted["host"],
        pl.col("destination_ip").is_in(planted["peers"]),
        pl.col("destination_port").is_in(planted["ports"]),
        pl.col("event_start").is_between(
            pl.lit(planted["first_start"]), pl.lit(planted["last_start"])
        ),
    )


def is_internal(column: str) -> pl.Expr:
    return pl.col(column).str.starts_with("10.")


def pair_of(sessions: pl.DataFrame, host: str, peer: str) -> pl.DataFrame:
    return sessions.filter(pl.col("source_ip") == host, pl.col("destination_ip") == peer)


def beacon_score(pair: pl.DataFrame) -> int:
    """Per mille: how regular the starts and the amounts of a pair's sessions are, by whole seconds."""
    seconds = sorted(set(pair["start"].dt.epoch("s")))
    if len(seconds) < 9:
        return 0
    gaps = [after - before for before, after in pairwise(seconds)]
    amounts = pair["source_bytes"].to_list()
    n, m, b = len(gaps), _median(gaps), _median(amounts)
    mad = _median([abs(gap - m) for gap in gaps])
    reg = max(0, 1000 * (m - mad) // m)
    mode = 1000 * sum(abs(gap - m) <= max(2, m // 5) for gap in gaps) // n
    size = 1000 * sum(abs(amount - b) <= max(8, b // 20) for amount in amounts) // len(amounts)
    span = min(1000, 1000 * (seconds[-1] - seconds[0]) // 86_400)
    whole: int = 400 * mode + 200 * reg + 200 * size + 200 * span
    return n * whole // (1000 * (n + 8))


def _median(values: list[int]) -> int:
    return sorted(values)[(len(values) + 1) // 2 - 1]

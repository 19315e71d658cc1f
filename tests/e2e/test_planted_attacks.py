"""Attacks that are planted in the traffic of a network stand out in the scores that are for them.

The chain is the user's: logs of days, deltas, the history of each day, windows of the last day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.times import DAY_US, MINUTE_US, SECOND_US, iso_text, parse_bound
from tests.e2e.cli import ndr, run
from tests.soak import only_in_soak

WITHOUT_SPARK = True

DAY: Final = "w_24h"
QUARTER_US: Final = 15 * MINUTE_US
OF_LATER_JOBS: Final = {"exfil_score", "anomaly_strength"}
"""Scores that need baselines, which windows do not have."""

SHORT: Final = {
    "port_sweep": ("w_15m", "w_1h"),
    "vertical_scan": ("w_15m", "w_1h"),
    "ssh_brute_force": ("w_15m", "w_1h"),
    "lateral_movement": ("w_1h",),
}
"""Kind of attack -> shorter windows in which its scores must tell, too: those that hold the middle of it."""


@frozen
class Network:
    """A scenario, and the features of its last day."""

    folder: Path
    listing: dict[str, Any]

    def plantings(self) -> Iterator[tuple[dict[str, Any], list[str]]]:
        """What was planted, each with the scores that windows have for it."""
        for planting in self.listing["planted"]:
            measures = [name for name in planting["measures"] if name not in OF_LATER_JOBS]
            if measures:
                yield planting, measures

    def windows(self, label: str, end: int) -> pl.DataFrame:
        """The outbound rows of the windows that end at a moment, us."""
        rows = self._table("fg_a")
        at = pl.from_epoch(pl.lit(end), time_unit="us").dt.replace_time_zone("UTC")
        return rows.filter(
            pl.col("window_label") == label,
            pl.col("role") == "outbound",
            pl.col("window_end_ts") == at,
        ).collect()

    def beacons(self) -> pl.DataFrame:
        """The regular pairs of the last day."""
        return self._table("beacon").collect()

    def _table(self, name: str) -> pl.LazyFrame:
        return read_table(open_output(self.folder / "out" / "features"), name)

    @property
    def end(self) -> int:
        """The end of the last day, us."""
        return parse_bound(self.listing["last_day"], "day") + DAY_US


def build(folder: Path, *, hosts: int, days: int, seed: int) -> Network:
    """Make a scenario and the features of its last day by the commands that a user has."""
    size = ("--hosts", hosts, "--days", days, "--seed", seed)
    assert ndr("generate", "--scenario", *size, "-o", folder / "logs", "--quiet").exit_code == 0
    listing = json.loads((folder / "logs" / "scenario.json").read_text())
    network = Network(folder, listing)
    first = network.end - days * DAY_US
    for day in range(days):
        start, end = (iso_text(first + number * DAY_US) for number in (day, day + 1))
        logs = folder / "logs" / "logs" / f"dt={start[:10]}"
        bounds = ("--slice-start", start, "--slice-end", end, "--mini-batch-id", start[:10])
        answer = run(folder / "logs" / "job-spec.yaml", logs, folder / "out", *bounds, "--quiet")
        assert answer.exit_code == 0, answer.errors
    spec = folder / "windows.json"
    spec.write_text(json.dumps({"kind": "fg_a", "project_name": "scenario"}))
    places = ("--spec", spec, "-o", folder / "out", "--quiet")
    span = ("--from", iso_text(first)[:10], "--to", iso_text(network.end - 2 * DAY_US)[:10])
    answer = ndr("features", "backfill", "--job", "history", *span, *places)
    assert answer.exit_code == 0, answer.errors
    ends: dict[int, set[str]] = {network.end: {DAY}}
    for planting, _ in network.plantings():
        ends.setdefault(middle_of(planting), set()).update(SHORT.get(planting["kind"], ()))
    for anchor, labels in sorted(ends.items()):
        asked = [part for label in sorted(labels) for part in ("--label", label)]
        if asked:
            answer = ndr("features", "run", "--end", iso_text(anchor), *asked, *places)
            assert answer.exit_code == 0, answer.errors
    return network


def middle_of(planting: dict[str, Any]) -> int:
    """The end, us, of the quarter of an hour in which the middle of an attack lies."""
    first, last = (parse_bound(planting[name], name) for name in ("first_start", "last_start"))
    return -(-((first + last) // 2 + SECOND_US) // QUARTER_US) * QUARTER_US


def rank(rows: pl.DataFrame, host: str, column: str) -> int:
    """The place of a host by a column: 1 is the largest. A host that ties with it is before it."""
    (score,) = rows.filter(pl.col("host_ip") == host)[column]
    return rows.filter(pl.col(column) >= score).height


def check_hosts(network: Network) -> None:
    """Each planted host is in the top 1 % of its scores, of the day and of the shorter windows that show it."""
    missed = []
    for planting, measures in network.plantings():
        windows = [(DAY, network.end)]
        windows += [(label, middle_of(planting)) for label in SHORT.get(planting["kind"], ())]
        for label, end in windows:
            rows = network.windows(label, end)
            for measure in measures:
                column = "beacon_threat_max" if measure == "beacon_threat" else measure
                place = rank(rows, planting["host"], column)
                if place > max(1, rows.height // 100):
                    missed.append((planting["kind"], label, column, place, rows.height))
    assert missed == []


def check_beacons(network: Network) -> None:
    """Planted beacons are among the 10 pairs of the largest threat; timers that are everywhere are not."""
    pairs = network.beacons().filter(pl.col("is_external") == 1)
    planted = [one for one, measures in network.plantings() if "beacon_threat" in measures]
    assert len(planted) == 2
    for planting in planted:
        (peer,) = planting["peers"]
        mine = pairs.filter(pl.col("host_ip") == planting["host"], pl.col("peer_ip") == peer)
        (threat,) = mine["beacon_threat"]
        assert pairs.filter(pl.col("beacon_threat") >= threat).height <= 10, planting["kind"]
    assert (
        pairs.height > 3 * network.listing["hosts"] // 5
    )  # benign beacons are there to be told from


def check_poisson(network: Network) -> None:
    """Sessions at random times with one size score at most 600, however many they are."""
    pairs = network.beacons()
    keys = ("host_ip", "peer_ip", "peer_port")
    random = pl.DataFrame(
        [(one["host"], one["peer"], one["port"]) for one in network.listing["poisson"]],
        schema=dict(zip(keys, (pl.String, pl.String, pl.Int64), strict=True)),
        orient="row",
    )
    scores = pairs.join(random, on=keys)["beacon_score"]
    assert scores.len() >= len(network.listing["poisson"]) * 3 // 4
    assert scores.max() <= 600  # type: ignore[operator]


def check(network: Network) -> None:
    check_hosts(network)
    check_beacons(network)
    check_poisson(network)


def test_planted_attacks_stand_out_in_a_small_network(tmp_path: Path) -> None:
    network = build(tmp_path, hosts=500, days=9, seed=1)

    check(network)


@only_in_soak
@pytest.mark.parametrize("seed", range(5))
def test_planted_attacks_stand_out_among_2000_hosts(seed: int, tmp_path: Path) -> None:
    network = build(tmp_path, hosts=2000, days=14, seed=seed)

    check(network)

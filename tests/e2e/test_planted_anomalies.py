"""Planted attacks, and a host that changes its role, stand out from what was usual before; ordinary hosts do not.

The jobs are those of a user, run in one process: deltas, history, windows, summaries, baselines, correlations of the
last day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.baselines.horizon import MONTH_DAYS, WEEK_DAYS
from ndr_core.baselines.spec import FgBSpec, fg_b_spec_of
from ndr_core.correlations.spec import fg_c_spec_of
from ndr_core.jobs.ports import QuietLog
from ndr_core.times import day_of, day_start, iso_text, to_datetime
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.spec_reader import parse_fg_a_spec
from ndr_entrypoints.feature_jobs import FeatureWiring
from tests.e2e.cli import ndr, run
from tests.e2e.test_planted_attacks import Network
from tests.soak import only_in_soak

WITHOUT_SPARK = True

FLAGGED: Final = 0.6
SCORES: Final = {
    "exfiltration": "exfil_score",
    "deny_burst": "anomaly_strength",
    "role_change": "anomaly_strength",
}
"""What is planted -> the score of correlations that is for it."""
ON_ONE_HOST: Final = ("vertical_scan", "ssh_brute_force")
"""Attacks of which all sessions go to one server: it is no ordinary host on that day."""


@frozen
class Setting:
    """A size of network, and how much is built of it."""

    hosts: int
    days: int
    labels: Mapping[str, str]
    """Window -> how often one ends."""
    horizon_days: int
    """The baselines that are looked at. In a small setting nothing else is built."""
    is_daily: bool
    """Whether all days are summed up, and each is judged by the baselines of its date."""


COARSE: Final = Setting(
    hosts=100,
    days=45,
    labels={"w_8h": "8h", "w_24h": "24h"},
    horizon_days=MONTH_DAYS,
    # Three windows a day are too few for baselines of a week, by which they would be judged.
    is_daily=False,
)
LARGE: Final = Setting(
    hosts=2000,
    days=14,
    labels={"w_1h": "1h", "w_8h": "1h", "w_24h": "1h"},
    horizon_days=WEEK_DAYS,
    is_daily=True,
)


@frozen
class Compared:
    """A scenario, and how far the windows of its last day lie from what was usual."""

    listing: Mapping[str, Any]
    windows: pl.DataFrame
    """Those that begin on the last day, of hosts that were there before."""

    @property
    def planted(self) -> dict[str, str]:
        """Kind -> host."""
        return {planting["kind"]: planting["host"] for planting in self.listing["planted"]}

    @property
    def attacked(self) -> set[str]:
        """Servers that all sessions of an attack go to."""
        return {
            peer
            for planting in self.listing["planted"]
            if planting["kind"] in ON_ONE_HOST
            for peer in planting["peers"]
        }

    def ordinary(self) -> pl.DataFrame:
        """The windows of hosts that nothing is planted on."""
        special = {*self.planted.values(), *self.attacked}
        return self.windows.filter(~pl.col("host_ip").is_in(list(special)))

    def place(self, host: str, score: str) -> tuple[int, int]:
        """The place of the highest window of a host among those of ordinary hosts, and how many these are."""
        others = self.ordinary()[score].drop_nulls()
        own = self.windows.filter(pl.col("host_ip") == host)[score].max()
        assert own is not None
        return 1 + others.filter(others >= own).len(), others.len()

    def flagged(self) -> tuple[pl.DataFrame, int]:
        """The windows of ordinary hosts that are flagged, and how many have a score."""
        scored = self.ordinary().filter(pl.col("anomaly_strength").is_not_null())
        return scored.filter(pl.col("anomaly_strength") > FLAGGED), scored.height


def compare(folder: Path, setting: Setting, seed: int) -> Compared:
    """Make a scenario, and compare the windows of its last day with their baselines."""
    network = generate(folder, setting, seed)
    first = day_of(network.end) - setting.days
    last = day_of(network.end) - 1
    build_deltas(network, range(first, last + 1))
    wiring = FeatureWiring.between(str(folder / "out"), None, "polars", QuietLog())
    windows = parse_fg_a_spec(
        {
            "kind": "fg_a",
            "project_name": "scenario",
            "windows": {"labels": setting.labels},
            "networks": {"segments": {"servers": servers(network.listing)}},
        }
    )
    baselines = fg_b_spec_of(windows)
    runs: list[Any] = wiring.all_days(history_spec_of(windows), first, last - 1)
    dates = range(first, last) if setting.is_daily else dates_of(baselines, setting, last)
    for date in (*dates, last):
        runs += wiring.all_windows(windows, day_start(date), day_start(date + 1))
    if setting.is_daily:
        runs += wiring.all_dates(baselines, first, last - 1)
    else:
        runs += [wiring.summary(baselines, date, allows_missing=True) for date in dates]
        runs.append(wiring.baselines(baselines, last))
    correlations = fg_c_spec_of(windows)
    runs += wiring.all_correlations(
        correlations, day_start(last), network.end, allows_missing=not setting.is_daily
    )
    for one in runs:
        one.run()
    return Compared(network.listing, whole_windows(folder, setting, last))


def servers(listing: Mapping[str, Any]) -> list[str]:
    """Give the servers as the segment that who runs them would name: a host that begins to serve is none of these."""
    return [f"{address}/32" for of_use in listing["servers"].values() for address in of_use]


def generate(folder: Path, setting: Setting, seed: int) -> Network:
    size = ("--hosts", setting.hosts, "--days", setting.days, "--seed", seed)
    made = ndr("generate", "--scenario", *size, "-o", folder / "logs", "--quiet")
    assert made.exit_code == 0, made.errors
    return Network(folder, json.loads((folder / "logs" / "scenario.json").read_text()))


def build_deltas(network: Network, days: Iterable[int]) -> None:
    """Build deltas of an hour each, a mini-batch a day."""
    spec = network.folder / "job.json"
    deltas = {"slice_minutes": 60}
    spec.write_text(
        json.dumps({"project_name": "scenario", "input": {"preset": "paloalto"}, "delta": deltas})
    )
    for day in days:
        start, end = (iso_text(day_start(one)) for one in (day, day + 1))
        logs = network.folder / "logs" / "logs" / f"dt={start[:10]}"
        bounds = ("--slice-start", start, "--slice-end", end, "--mini-batch-id", start[:10])
        answer = run(spec, logs, network.folder / "out", *bounds, "--quiet")
        assert answer.exit_code == 0, answer.errors


def dates_of(spec: FgBSpec, setting: Setting, date: int) -> range:
    """The local dates of the baselines of a date that are looked at."""
    (horizon,) = (one for one in spec.baselines.horizons if one.days == setting.horizon_days)
    return horizon.dates(date)


def whole_windows(folder: Path, setting: Setting, last: int) -> pl.DataFrame:
    """The rows of the last day, of the horizon that is looked at."""
    features = open_output(folder / "out" / "features")
    hosts = read_table(features, "baseline_rows").filter(pl.col("scope") == "host")
    known = hosts.select(host_ip="name").unique()
    start = pl.lit(to_datetime(day_start(last)))
    return (
        read_table(features, "fg_c")
        .filter(pl.col("baseline_ts") == start, pl.col("horizon") == f"{setting.horizon_days}d")
        .join(known, on="host_ip", how="semi")
        .collect()
    )


def check_planted(found: Compared) -> None:
    """What is planted is in the top 1 % of the scores that are for it."""
    missed = {}
    for kind, score in SCORES.items():
        place, windows = found.place(found.planted[kind], score)
        if place > max(1, windows // 100):
            missed[kind] = f"{score}: {place} of {windows}"
    assert missed == {}


def check_ordinary(found: Compared) -> None:
    """At most 0.5 % of the windows of ordinary hosts are flagged."""
    flagged, windows = found.flagged()
    assert windows >= 4 * found.listing["hosts"]
    why = flagged.select("host_ip", "role", "window_label", "time_band", "anomaly_strength")
    assert flagged.height <= windows / 200, why.to_dicts()


def test_what_is_planted_stands_out_from_a_month_of_a_small_network(tmp_path: Path) -> None:
    found = compare(tmp_path, COARSE, seed=1)

    check_planted(found)
    check_ordinary(found)


@only_in_soak
@pytest.mark.parametrize("seed", [0, 2, 3, 4])
def test_it_does_so_for_other_seeds(seed: int, tmp_path: Path) -> None:
    found = compare(tmp_path, COARSE, seed)

    check_planted(found)
    check_ordinary(found)


@only_in_soak
@pytest.mark.parametrize("seed", range(5))
def test_what_is_planted_stands_out_among_2000_hosts(seed: int, tmp_path: Path) -> None:
    found = compare(tmp_path, LARGE, seed)

    check_planted(found)
    check_ordinary(found)

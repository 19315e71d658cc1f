"""A real day of one PC, whose flows are labelled: which of its hours stand out from what its first half had.

Attacks from the internet arrive in every hour of it, 100 to 240 flows of strangers, while what the PC itself does
changes with its user. One day holds too few windows for the daily job: what is usual is read off the windows of its
first half by the functions of the core, without gaps, and however few they are. It is the first half of each part of
the week, as windows are compared within their part only.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from attrs import field, frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from ndr_core.baselines.metrics import metrics_named
from ndr_core.baselines.plan import SummaryPlan
from ndr_core.baselines.readout import read_off
from ndr_core.baselines.reference import summary_tables
from ndr_core.baselines.rows import SummaryRows
from ndr_core.baselines.samples import with_zeros
from ndr_core.baselines.tables import HOST
from ndr_core.correlations.formulas import ANOMALY_METRICS, anomaly_strength
from ndr_core.correlations.ladder import READ_OFF, Usual
from ndr_core.correlations.reference import metric_values
from ndr_core.expressions.evaluate import evaluate
from ndr_core.tables.columns import Histogram
from ndr_core.tables.merge import Row
from ndr_core.times import day_of, parse_bound, to_datetime
from ndr_core.windows.labels import WindowLabel
from tests.e2e.cli import ndr, run, write_spec
from tests.e2e.test_real_attacks import real_log

WITHOUT_SPARK = True

PC: Final = "147.32.83.165"
FIRST: Final = "2022-06-12T21:00:00Z"
LAST: Final = "2022-06-13T22:00:00Z"
HOUR: Final = WindowLabel(60, 60)
FLAGGED: Final = 0.6
METRICS: Final = metrics_named(ANOMALY_METRICS)

Flow = Mapping[str, Any]


def flows_of(log: Path) -> list[Flow]:
    with gzip.open(log / "conn.json.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def is_attack(flow: Flow) -> bool:
    return bool(flow["label"] == "Malicious")


def hours_with_attacks(flows: Iterable[Flow]) -> set[tuple[str, datetime]]:
    """The PC's role and the end of the hour of each labelled attack: a flow counts when it ends."""
    found = set()
    for flow in filter(is_attack, flows):
        role = "inbound" if flow["id.resp_h"] == PC else "outbound"
        end = int((flow["ts"] + flow.get("duration", 0)) * 1e6)
        hour = to_datetime(end).replace(minute=0, second=0, microsecond=0)
        found.add((role, hour + timedelta(hours=1)))
    return found


def hours_of(flows: Iterable[Flow], folder: Path) -> list[Row]:
    """The PC's windows of an hour, built of some of the day's flows, in the order of time."""
    log = folder / "log"
    log.mkdir(parents=True)
    with gzip.open(log / "conn.json.gz", "wt", compresslevel=1) as lines:
        lines.writelines(f"{json.dumps(flow)}\n" for flow in flows)
    spec = write_spec(folder / "deltas.json", input={"preset": "zeek"})
    bounds = ("--slice-start", FIRST, "--slice-end", LAST, "--mini-batch-id", "day")
    answer = run(spec, log, folder / "out", *bounds)
    assert answer.exit_code == 0, answer.errors
    windows = folder / "windows.json"
    windows.write_text(
        json.dumps(
            {
                "kind": "fg_a",
                "project_name": "test",
                "networks": {"internal": ["147.32.0.0/16"]},
                "calendar": {"zone": "Europe/Prague"},
                "windows": {"labels": {HOUR.name: "1h"}},
            }
        )
    )
    places = ("--spec", windows, "-o", folder / "out", "--quiet")
    answer = ndr("features", "backfill", "--job", "fg-a", "--from", FIRST, "--to", LAST, *places)
    assert answer.exit_code == 0, answer.errors
    rows = read_table(open_output(folder / "out" / "features"), "fg_a")
    return rows.filter(pl.col("host_ip") == PC).sort("window_end_ts", "role").collect().to_dicts()


@frozen
class Halves:
    """The hours of the day, cut in two within each part of the week."""

    band: Mapping[datetime, str]
    """End of an hour -> its part of the week."""
    first: frozenset[datetime]

    @classmethod
    def of(cls, hours: Sequence[Row]) -> Halves:
        """Cut all hours in which the PC has a row of any role: it has one in each."""
        band = {row["window_end_ts"]: row["time_band"] for row in hours}
        by_band = defaultdict(list)
        for end in sorted(band):
            by_band[band[end]].append(end)
        return cls(
            band,
            frozenset(end for ends in by_band.values() for end in ends[: len(ends) // 2]),
        )

    def count(self, band: str) -> int:
        """Count the hours of the first half of a part of the week."""
        return sum(self.band[end] == band for end in self.first)


@frozen
class FirstHalf:
    """What was usual for the PC in the first half. An hour without flows of a role is one with nothing."""

    halves: Halves
    cells: Mapping[tuple[str, str, str], Histogram] = field(factory=dict)
    """Role, part of the week and metric -> its windows by bucket."""

    @classmethod
    def of(cls, hours: Iterable[Row], halves: Halves) -> FirstHalf:
        rows = [row for row in hours if row["window_end_ts"] in halves.first]
        plan = SummaryPlan(
            day_of(parse_bound(LAST, "day")), (HOUR,), METRICS, ANOMALY_METRICS, "v1", 0
        )
        summary = summary_tables(plan, SummaryRows(rows))["summary"]
        return cls(
            halves,
            {(row["role"], row["time_band"], row["metric"]): row["included"] for row in summary},
        )

    def strength(self, row: Row) -> float | None:
        """How far an hour departs from it: `anomaly_strength`."""
        values: Row = {}
        for metric in METRICS:
            cells = self.cells.get((row["role"], row["time_band"], metric.name), ())
            samples = self.halves.count(row["time_band"])
            known = read_off(with_zeros(metric.absent, cells, samples))
            read = {name: getattr(known, name) for name in READ_OFF}
            usual = Usual(HOST, read, cells) if known.n else None
            values |= metric_values(metric, row, usual)
        found: float | None = evaluate(anomaly_strength(ANOMALY_METRICS), values)
        return found


@frozen
class Day:
    """The labelled day: its hours as they are, and as they would be without the attacks."""

    attacks: set[tuple[str, datetime]]
    """Role and end of the hours with attacks."""
    hours: Sequence[Row]
    hours_without_attacks: Sequence[Row]

    def flagged(self, of_first_half: Sequence[Row]) -> dict[bool, list[bool]]:
        """Whether there are attacks in an hour of the second half -> for each such hour, whether it is flagged."""
        halves = Halves.of(self.hours)
        usual = FirstHalf.of(of_first_half, halves)
        found: dict[bool, list[bool]] = {True: [], False: []}
        for row in self.hours:
            end = row["window_end_ts"]
            if end not in halves.first:
                strength = usual.strength(row)
                is_flagged = strength is not None and strength > FLAGGED
                found[(row["role"], end) in self.attacks].append(is_flagged)
        return found


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    flows = flows_of(real_log("zeek-labelled-pc"))
    others = [flow for flow in flows if not is_attack(flow)]
    return Day(
        hours_with_attacks(flows),
        hours_of(flows, tmp_path_factory.mktemp("whole")),
        hours_of(others, tmp_path_factory.mktemp("without-attacks")),
    )


def share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def test_hours_with_attacks_stand_out_from_a_first_half_without_them(day: Day) -> None:
    flagged = day.flagged(of_first_half=day.hours_without_attacks)

    assert len(flagged[True]) >= 12
    assert len(flagged[False]) >= 12
    assert share(flagged[True]) >= 0.5
    assert share(flagged[False]) <= 0.02


def test_attacks_that_never_pause_are_usual_once_a_baseline_holds_them(day: Day) -> None:
    flagged = day.flagged(of_first_half=day.hours)

    assert not any(flagged[True])
    assert share(flagged[False]) <= 0.02

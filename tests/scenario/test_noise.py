"""The ordinary traffic of a scenario is as uneven as real traffic: no score has it easy."""

from __future__ import annotations

import math
from statistics import NormalDist

import polars as pl
import pytest

from tests.scenario.logs import Written, beacon_score, pair_of

WITHOUT_SPARK = True

QUARTERS = 96


def per_window(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions of each host in each quarter of an hour of a day, those without any too."""
    quarter = pl.col("logged").dt.hour().cast(pl.Int64) * 4 + pl.col("logged").dt.minute() // 15
    counts = sessions.group_by("source_ip", quarter.alias("quarter")).agg(n=pl.len())
    hosts = sessions.select(pl.col("source_ip").unique())
    quarters = pl.DataFrame({"quarter": list(range(QUARTERS))}, schema={"quarter": pl.Int64})
    return (
        hosts.join(quarters, how="cross")
        .join(counts, on=["source_ip", "quarter"], how="left")
        .with_columns(pl.col("n").fill_null(0).cast(pl.Int64))
    )


@pytest.fixture(scope="module")
def windows(written: Written) -> pl.DataFrame:
    """Of a working day without attacks."""
    return per_window(written.sessions(written.days()[-2]))


@pytest.mark.parametrize("column", ["source_bytes", "destination_bytes"])
def test_bytes_are_log_normal_with_a_deviation_of_at_least_1_5(
    written: Written, column: str
) -> None:
    web = written.sessions(written.days()[-2]).filter(
        pl.col("destination_port") == 80, ~pl.col("failed")
    )

    logs = web[column].cast(pl.Float64).log()

    median, deviation = logs.median(), logs.std()
    assert isinstance(median, float)
    assert isinstance(deviation, float)
    assert logs.len() > 500
    assert deviation >= 1.5
    # As far from the middle as a normal distribution is, on both sides; what is smaller than a packet is cut.
    for share in (0.1, 0.25, 0.75, 0.9, 0.97):
        expected = median + deviation * NormalDist().inv_cdf(share)
        found = logs.quantile(share)
        assert found is not None
        assert math.isclose(found, expected, abs_tol=0.3 * deviation)


def test_sessions_per_window_vary_at_least_five_times_their_mean(windows: pl.DataFrame) -> None:
    mean, variance = pl.col("n").mean(), pl.col("n").var()

    hosts = windows.group_by("source_ip").agg(ratio=variance / mean)
    (pooled,) = windows.select(variance / mean).row(0)

    assert pooled >= 5
    assert hosts.select((pl.col("ratio") >= 5).mean()).item() >= 0.85


def test_two_per_cent_of_the_hosts_are_bursty(written: Written, windows: pl.DataFrame) -> None:
    bursty = written.listing["bursty_hosts"]

    most = windows.group_by("source_ip").agg(most=pl.col("n").max(), mean=pl.col("n").mean())
    found = most.filter(pl.col("source_ip").is_in(bursty))

    assert len(bursty) == round(0.02 * 400)
    assert found.height == len(bursty)
    assert found.select(
        (pl.col("most") >= 50).all() & (pl.col("most") >= 10 * pl.col("mean")).all()
    ).item()


def test_nights_and_weekends_are_quieter_than_working_hours(written: Written) -> None:
    clients = ~pl.col("source_ip").is_in(written.addresses("servers"))
    timers = pl.col("destination_ip").is_in(written.addresses("outside"))
    thursday, saturday = written.days()[-1], written.days()[-6]
    assert (thursday, saturday) == ("2025-03-13", "2025-03-08")

    day = written.sessions(written.days()[-2]).filter(clients, ~timers)
    weekend = written.sessions(saturday).filter(clients, ~timers)

    hours = day["logged"].dt.hour()
    assert hours.is_between(9, 16).sum() > 20 * hours.is_between(0, 4).sum()
    assert day.height > 3 * weekend.height


def test_most_hosts_have_beacons_of_clocks_and_updaters(written: Written) -> None:
    day = written.sessions(written.days()[-2])
    outside = written.listing["outside"]
    timers = day.filter(pl.col("destination_ip").is_in(outside["ntp"] + outside["updater"]))

    hosts = {
        host
        for (host, _peer), pair in timers.group_by("source_ip", "destination_ip")
        if beacon_score(pair) >= 250
    }

    assert len(hosts) >= 0.6 * 400


def test_most_hosts_contact_the_servers_of_names_and_directories_each_day(
    written: Written,
) -> None:
    servers = written.listing["servers"]

    for day in written.days()[3:8]:  # Friday and weekend are among them
        sessions = written.sessions(day)
        hosts = sessions["source_ip"].unique()
        for kind in ("dns", "directory"):
            callers = sessions.filter(pl.col("destination_ip").is_in(servers[kind]))
            assert callers["source_ip"].n_unique() >= 0.85 * len(hosts)


def test_few_peers_outside_have_most_of_the_sessions(written: Written) -> None:
    outward = written.sessions(written.days()[-2]).filter(
        ~pl.col("destination_ip").str.starts_with("10."), pl.col("destination_port") == 443
    )

    peers = outward["destination_ip"].value_counts(sort=True)["count"].to_list()

    assert len(peers) > 1000
    assert sum(peers[:100]) > 0.5 * sum(peers)
    assert peers.count(1) > 0.2 * len(peers)


def test_poisson_pairs_have_their_number_of_sessions_of_one_size_each_day(
    written: Written,
) -> None:
    pairs = written.listing["poisson"]

    counts = [pair["sessions_a_day"] for pair in pairs]
    found = [
        pair_of(written.sessions(day), pair["host"], pair["peer"])
        for day in written.days()[-2:]
        for pair in pairs
    ]

    assert (min(counts), max(counts)) == (12, 1000)
    assert [sessions.height for sessions in found] == counts * 2
    assert all(sessions["source_bytes"].n_unique() == 1 for sessions in found)


def test_poisson_pairs_score_at_most_600_as_beacons(written: Written) -> None:
    day = written.last_day()

    scores = [
        beacon_score(pair_of(day, pair["host"], pair["peer"]))
        for pair in written.listing["poisson"]
    ]

    assert min(scores) > 0
    assert max(scores) <= 600

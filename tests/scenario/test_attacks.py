"""What a scenario plants stands in its records, on its last day only, and stands out."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest

from tests.scenario.logs import REFUSED, Written, beacon_score, is_internal, of, pair_of

WITHOUT_SPARK = True

KINDS = [
    "port_sweep",
    "vertical_scan",
    "jittered_beacon",
    "unanswered_beacon",
    "ssh_brute_force",
    "lateral_movement",
    "exfiltration",
    "deny_burst",
    "role_change",
]
ADMIN_PORTS = [22, 23, 3389, 5900, 5901, 5985, 5986, 10000]
FILE_PORTS = [20, 21, 69, 111, 137, 138, 139, 445, 548, 873, 989, 990, 2049]
DIRECTORY_PORTS = [88, 389, 464, 636, 3268, 3269]


@pytest.fixture(scope="module")
def last_day(written: Written) -> pl.DataFrame:
    return written.last_day()


@pytest.fixture(scope="module")
def before(written: Written) -> pl.DataFrame:
    return written.days_before()


def failed_targets(sessions: pl.DataFrame) -> pl.DataFrame:
    """Peer and port of each host all of whose sessions failed."""
    ends = ["source_ip", "destination_ip", "destination_port"]
    return sessions.group_by(ends).agg(pl.col("failed").all()).filter("failed")


def greatest(table: pl.DataFrame, column: str) -> str:
    """The host with the greatest value of a column."""
    return str(table.sort(column, descending=True)["source_ip"][0])


def test_each_kind_is_planted_once_on_a_host_of_its_own(written: Written) -> None:
    planted = written.listing["planted"]

    assert [one["kind"] for one in planted] == KINDS
    assert len({one["host"] for one in planted}) == len(KINDS)
    assert all(one["first_start"][:10] == "2025-03-13" for one in planted)


def test_the_list_says_how_many_sessions_the_records_have(
    written: Written, last_day: pl.DataFrame
) -> None:
    for kind in set(KINDS) - {"role_change"}:
        planted = written.planted(kind)
        found = of(last_day, planted)

        # Ordinary sessions of the host may have the same peer and port by chance.
        assert planted["sessions"] <= found.height <= planted["sessions"] + 3
        assert found["source_bytes"].sum() >= planted["bytes_sent"]


def test_a_planted_host_does_on_other_days_what_ordinary_hosts_do(
    written: Written, before: pl.DataFrame
) -> None:
    hosts = [one["host"] for one in written.listing["planted"]]
    servers = written.addresses("servers")
    counts = (
        before.filter(is_internal("source_ip"), ~pl.col("source_ip").is_in(servers))
        .group_by("source_ip")
        .agg(n=pl.len(), peers=pl.col("destination_ip").n_unique())
    )

    for column in ("n", "peers"):
        low, high = counts[column].min(), counts[column].quantile(0.99)
        found = counts.filter(pl.col("source_ip").is_in(hosts))[column]
        assert found.len() == len(KINDS)
        assert low is not None
        assert high is not None
        assert all(low <= value <= high for value in found)


def test_a_port_sweep_asks_hundreds_of_peers_for_one_port(
    written: Written, last_day: pl.DataFrame
) -> None:
    planted = written.planted("port_sweep")

    peers = (
        failed_targets(last_day)
        .group_by("source_ip", "destination_port")
        .agg(n=pl.col("destination_ip").n_unique())
    )

    assert greatest(peers, "n") == planted["host"]
    assert peers["n"].top_k(2).to_list()[0] > 600
    assert peers["n"].top_k(2).to_list()[1] < 100
    assert of(last_day, planted).filter(~pl.col("failed")).height > 0


def test_a_vertical_scan_asks_one_peer_for_a_thousand_ports(
    written: Written, last_day: pl.DataFrame
) -> None:
    planted = written.planted("vertical_scan")

    ports = (
        failed_targets(last_day.drop_nulls("destination_port"))
        .group_by("source_ip", "destination_ip")
        .agg(n=pl.col("destination_port").n_unique())
    )

    assert greatest(ports, "n") == planted["host"]
    assert ports["n"].top_k(2).to_list()[0] >= 1000
    assert ports["n"].top_k(2).to_list()[1] < 20


@pytest.mark.parametrize(
    ("kind", "least_s", "most_s", "score"),
    [("jittered_beacon", 210, 390, 750), ("unanswered_beacon", 59, 61, 950)],
)
def test_a_beacon_asks_a_new_peer_all_day_at_its_period(
    written: Written,
    last_day: pl.DataFrame,
    before: pl.DataFrame,
    kind: str,
    least_s: int,
    most_s: int,
    score: int,
) -> None:
    planted = written.planted(kind)
    (peer,) = planted["peers"]

    pair = pair_of(last_day, planted["host"], peer).sort("start")

    gaps = [(b - a).total_seconds() for a, b in pairwise(pair["start"])]
    assert least_s - 0.5 <= min(gaps)
    assert max(gaps) <= most_s + 0.5
    assert pair["start"][0].hour == 0
    assert pair["start"][-1].hour == 23
    assert pair["failed"].all() == (kind == "unanswered_beacon")
    assert beacon_score(pair) >= score
    assert before.filter(pl.col("destination_ip") == peer).is_empty()
    assert last_day.filter(pl.col("destination_ip") == peer)["source_ip"].n_unique() == 1


def test_ssh_brute_force_repeats_sessions_of_about_one_size(
    written: Written, last_day: pl.DataFrame
) -> None:
    planted = written.planted("ssh_brute_force")

    found = of(last_day, planted)

    assert planted["ports"] == [22]
    assert found.height >= 1000
    middle = found["source_bytes"].median()
    assert isinstance(middle, float)
    even = (found["source_bytes"] - middle).abs() <= middle // 10
    assert even.sum() >= 0.95 * found.height
    others = last_day.filter(pl.col("destination_port") == 22).group_by("source_ip").agg(n=pl.len())
    assert greatest(others, "n") == planted["host"]


def test_lateral_movement_logs_in_to_five_peers_that_the_host_never_contacted(
    written: Written, last_day: pl.DataFrame, before: pl.DataFrame
) -> None:
    planted = written.planted("lateral_movement")
    host, peers = planted["host"], planted["peers"]
    known = before.filter(
        pl.col("source_ip") == host,
        pl.col("destination_port").is_in(ADMIN_PORTS + FILE_PORTS + DIRECTORY_PORTS),
    )

    found = of(last_day, planted)

    assert len(set(peers)) == 5
    assert set(planted["ports"]) <= set(ADMIN_PORTS)
    assert found["destination_ip"].n_unique() == 5
    assert not found["failed"].any()
    assert set(peers).isdisjoint(known["destination_ip"])


def test_exfiltration_sends_500_mb_to_a_new_peer(
    written: Written, last_day: pl.DataFrame, before: pl.DataFrame
) -> None:
    planted = written.planted("exfiltration")
    (peer,) = planted["peers"]

    found = pair_of(last_day, planted["host"], peer)

    assert found["source_bytes"].sum() == 500_000_000
    assert before.filter(pl.col("destination_ip") == peer).is_empty()
    sent = (
        last_day.filter(~is_internal("destination_ip"))
        .join(before, on=["source_ip", "destination_ip"], how="anti")
        .group_by("source_ip")
        .agg(pl.col("source_bytes").sum())
    )
    assert greatest(sent, "source_bytes") == planted["host"]


def test_a_burst_of_denies_is_refused_within_minutes(
    written: Written, last_day: pl.DataFrame
) -> None:
    planted = written.planted("deny_burst")

    found = of(last_day, planted)

    assert found.height >= 500
    assert found["event_action"].is_in(REFUSED).all()
    span = found.select(pl.col("start").max() - pl.col("start").min()).item()
    assert span.total_seconds() <= 600
    denies = (
        last_day.filter(pl.col("event_action").is_in(REFUSED)).group_by("source_ip").agg(n=pl.len())
    )
    assert greatest(denies, "n") == planted["host"]


def test_a_host_that_changes_its_role_serves_others_and_is_no_client_any_more(
    written: Written, last_day: pl.DataFrame, before: pl.DataFrame
) -> None:
    planted = written.planted("role_change")
    host = planted["host"]
    servers = written.listing["servers"]

    callers = last_day.filter(pl.col("destination_ip") == host, pl.col("destination_port") == 8443)
    calls = last_day.filter(
        pl.col("source_ip") == host, pl.col("event_start") >= planted["first_start"]
    )

    assert callers.height == planted["sessions_to_it"]
    assert callers["source_ip"].n_unique() == planted["callers"] > 100
    assert before.filter(
        pl.col("destination_ip") == host, pl.col("destination_port") == 8443
    ).is_empty()
    assert calls.height == planted["sessions"]
    assert set(calls["destination_ip"]) <= {*servers["dns"], *servers["database"]}

"""Known attacks in real logs stand out in the features that are for them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import frozen

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_table
from tests.conftest import REAL_DATA
from tests.e2e.cli import ndr, run, write_spec

WITHOUT_SPARK = True


def real_log(name: str) -> Path:
    """The folder of a real log; the test is skipped where there is none."""
    folder = os.environ.get(REAL_DATA)
    if not folder:
        pytest.skip(f"needs real logs: let {REAL_DATA} name the folder that holds {name}")
    log = Path(folder) / name
    assert log.is_dir(), f"{REAL_DATA}: {log} is no folder"
    return log


@frozen
class Features:
    """The features of a log, as built of the 24 hours before a moment."""

    windows: pl.DataFrame
    """Of `fg_a`."""
    beacons: pl.DataFrame

    def outbound(self, host: str) -> dict[str, Any]:
        """The row of a host that it was seen in as a source."""
        (row,) = self.windows.filter(host_ip=host, role="outbound").to_dicts()
        return row

    def rank_of(self, host: str, peer: str, port: int) -> int:
        """The place of a pair by `beacon_score` among those with external peers: 1 is the largest, ties count."""
        pairs = self.beacons.filter(is_external=1)
        (score,) = pairs.filter(host_ip=host, peer_ip=peer, peer_port=port)["beacon_score"]
        return pairs.filter(pl.col("beacon_score") >= score).height


def features_of(log: Path, end: str, folder: Path) -> Features:
    """Build w_24h of all hosts. What comes before the log is not published: the window is partial."""
    spec = write_spec(folder / "deltas.json", input={"preset": "zeek"})
    answer = run(spec, log, folder / "out")
    assert answer.exit_code == 0, answer.errors
    windows = folder / "windows.json"
    windows.write_text(json.dumps({"kind": "fg_a", "project_name": "test", "hosts": "all"}))
    places = ("--spec", windows, "-o", folder / "out")
    built = ndr("features", "run", *places, "--end", end, "--label", "w_24h", "--partial")
    assert built.exit_code == 0, built.errors
    features = open_output(folder / "out" / "features")
    return Features(*(read_table(features, name).collect() for name in ("fg_a", "beacon")))


def test_the_beacon_of_a_real_day_is_among_the_first_five(tmp_path: Path) -> None:
    log = real_log("zeek-conn-2024-04-19")

    found = features_of(log, "2024-04-20T00:00:00Z", tmp_path)

    assert found.rank_of("73.54.23.243", "64.225.56.201", 80) <= 5
    assert found.beacons.filter(is_external=1).height > 100  # it had others to stand out from
    assert found.outbound("73.54.23.243")["beacon_score_max"] >= 800


def test_a_real_port_scan_has_many_failed_peers_and_ports(tmp_path: Path) -> None:
    log = real_log("zeek-port-scan")

    found = features_of(log, "2022-09-29T16:00:00Z", tmp_path)

    scanner = found.outbound("172.16.1.11")
    assert scanner["hscan_max_peers"] >= 100
    assert scanner["vscan_max_ports"] >= 90
    assert scanner["scan_score"] >= 0.8  # 100 / (100 + 25)


def test_malware_whose_server_refuses_is_among_the_first_three(tmp_path: Path) -> None:
    log = real_log("zeek-refused-beacon")

    found = features_of(log, "2023-02-22T01:00:00Z", tmp_path)

    assert found.rank_of("192.168.1.107", "66.63.168.35", 5888) <= 3


def test_malware_whose_server_does_not_answer_is_among_the_first_three(tmp_path: Path) -> None:
    log = real_log("zeek-unanswered-beacon")

    found = features_of(log, "1970-01-01T01:00:00Z", tmp_path)  # its sensor's clock was not set

    assert found.rank_of("192.168.1.115", "41.108.179.197", 1177) <= 3
    (row,) = found.beacons.filter(peer_ip="41.108.179.197", peer_port=1177).to_dicts()
    assert row["unanswered_pm"] == 1000

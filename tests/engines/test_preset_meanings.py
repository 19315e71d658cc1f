"""What whole runs tell of records that sources write in an unusual way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_core.deltas.reference import Tables
from ndr_core.flows.presets.registry import PRESETS
from tests.makers import differences, make_plan, make_spec, write_batch
from tests.support import ENGINES, run_engine, run_reference

START_NS = 1_713_521_410_000_000_000
Records = Sequence[dict[str, Any]]


def settings_of(preset: str, form: str) -> dict[str, Any]:
    (found,) = (one.settings for one in PRESETS[preset].forms if one.name == form)
    return {"preset": preset, **found}


def tables(settings: dict[str, Any], folder: Path, output: Path) -> Tables:
    """What Polars makes of the files in a folder, which is what the reference makes of them."""
    plan = make_plan(make_spec(input=settings))
    expected = run_reference(plan, folder)

    found = run_engine(ENGINES["polars"](), plan, folder, output)

    assert differences(expected, found) == []
    return found


def tables_of(settings: dict[str, Any], records: Records, folder: Path) -> Tables:
    batch = write_batch(folder / "in", [records])
    return tables(settings, batch, folder / "out")


def told(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def row_of(found: Tables, role: str) -> dict[str, Any]:
    (row,) = [row for row in found.deltas if row["role"] == role]
    return dict(row)


def test_the_side_that_sent_a_syn_is_the_client_whichever_record_is_earlier(tmp_path: Path) -> None:
    ends = {"proto": "TCP", "bytes": 100, "packets": 1}
    client = {"src_addr": "10.0.0.1", "src_port": 40000, "dst_addr": "10.0.0.2", "dst_port": 50000}
    server = {"src_addr": "10.0.0.2", "src_port": 50000, "dst_addr": "10.0.0.1", "dst_port": 40000}
    first, later = ({"time_flow_start_ns": START_NS + s * 10**9} for s in (0, 1))

    found = tables_of(
        settings_of("netflow", "goflow2"),
        [
            {**server, **ends, **first, "tcp_flags": 18},
            {**client, **ends, **later, "tcp_flags": 2},
        ],
        tmp_path,
    )

    assert row_of(found, "outbound")["host_ip"] == "10.0.0.1"
    assert row_of(found, "inbound")["host_ip"] == "10.0.0.2"


def test_bidirectional_records_of_nfdump_have_replies(tmp_path: Path) -> None:
    records = [
        {
            "first": "2024-04-19T10:10:00.000",
            "last": "2024-04-19T10:10:05.000",
            "src4_addr": "10.0.0.1",
            "dst4_addr": "10.0.0.2",
            "src_port": 40000 + number,
            "dst_port": 443,
            "proto": 6,
            "in_bytes": 300,
            "in_packets": 2,
            "out_bytes": 900,
            "out_packets": 3,
        }
        for number in range(3)
    ]

    row = row_of(tables_of(settings_of("netflow", "nfdump"), records, tmp_path), "outbound")

    assert row["sessions_cnt"] == 3
    assert row["bytes_recv_sum"] == 2_700
    assert row["zero_reply_cnt"] == 0


@pytest.mark.parametrize("eventtime", [str(START_NS // 10**9), str(START_NS)])
def test_a_session_of_which_fortigate_tells_no_duration_is_not_a_short_one(
    eventtime: str, tmp_path: Path
) -> None:
    record = {
        "type": "traffic",
        "eventtime": eventtime,
        "srcip": "10.0.0.1",
        "dstip": "10.0.0.2",
        "sentbyte": "70",
        "rcvdbyte": "0",
    }
    known = {**record, "duration": "0"}

    found = tables_of(settings_of("fortigate", "json"), [record, known], tmp_path)

    row = row_of(found, "outbound")
    assert row["sessions_cnt"] == 2
    assert row["short_session_cnt"] == 1
    assert row["duration_us_sum"] == 0
    assert told(found.report.repaired) == {"missing_end": 1}


QUIET = {"start": 1_713_521_410, "end": 1_713_521_470}


@pytest.mark.parametrize("column", ["log_status", "log-status"])
def test_lost_records_are_told_in_parquet_under_either_name_of_the_status(
    column: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    rows = [{**QUIET, column: status} for status in ("SKIPDATA", "NODATA", None)]
    pl.DataFrame(rows).write_parquet(tmp_path / "in" / "flows.parquet")

    found = tables({"preset": "vpcflow", "format": "parquet"}, tmp_path / "in", tmp_path / "out")

    assert told(found.report.rejected_by_label) == {"non_traffic: lost": 1, "non_traffic": 2}


@pytest.mark.parametrize("column", ["log_status", "log-status"])
def test_lost_records_are_told_in_json_under_either_name_of_the_status(
    column: str, tmp_path: Path
) -> None:
    rows = [{**QUIET, column: status} for status in ("SKIPDATA", "NODATA")]

    found = tables_of({"preset": "vpcflow"}, rows, tmp_path)

    assert told(found.report.rejected_by_label) == {"non_traffic: lost": 1, "non_traffic": 1}

"""What each quality rule rejects or repairs, on every engine."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ndr_core.deltas.engine import Engine
from ndr_core.errors import OverflowingColumnError
from ndr_core.quality.quarantine import Quarantined
from tests.makers import (
    differences,
    flow,
    make_plan,
    make_spec,
    write_batch,
)
from tests.support import run_engine, run_reference

SLICE = ("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z")
NO_NUMBERS: dict[str, Any] = dict.fromkeys(
    ("source_bytes", "destination_bytes", "source_port", "destination_port")
)
OUT = "out_of_slice"


TELLING = make_spec(input={"preset": "paloalto", "lost": {"column": "status", "value": "LOST"}})
"""Of a source that tells of lost data."""


def spanning(start: str, end: str | None) -> dict[str, Any]:
    return flow(event_start=start, event_end=end)


# (line, label of the rule, field at fault); the first rule that applies names a record.
REJECTED: list[tuple[dict[str, Any] | str | bytes, str, str | None]] = [
    ("not json", "malformed_record", None),
    ('{"source_ip": "10.0.0.1"', "malformed_record", None),
    ("[1]", "malformed_record", None),
    (json.dumps(flow()) + json.dumps(flow()), "malformed_record", None),
    (b'{"source_ip": "\xff"}', "malformed_record", None),
    (flow(source_bytes={"n": 1}), "bad_value", "source_bytes"),
    (flow(source_bytes=1.5), "bad_value", "source_bytes"),
    (flow(destination_port="https"), "bad_value", "destination_port"),
    (flow(destination_port=True), "bad_value", "destination_port"),
    (flow(event_start=1740823200), "bad_value", "event_start"),
    (flow(event_start="2025-02-30T10:00:00Z"), "bad_value", "event_start"),
    (flow(event_action=["allow"]), "bad_value", "event_action"),
    (flow(source_ip={}, event_start="never"), "bad_value", "source_ip"),
    (flow(**NO_NUMBERS, event_start=None), "non_traffic", None),
    (flow(**NO_NUMBERS, status="LOST", event_start=None), "non_traffic: lost", None),
    (flow(event_start=None, event_end="2025-03-01T10:00:00Z"), "missing_time", None),
    (flow(event_start=None, source_ip="x"), "missing_time", None),
    (flow(source_ip="10.0.0.256", event_start="2025-02-01T09:00:00Z"), "malformed_ip", "source_ip"),
    (flow(destination_ip=None), "malformed_ip", "destination_ip"),
    (flow(destination_ip="fe80::1%"), "malformed_ip", "destination_ip"),
    (flow(source_ip="x", destination_ip="y"), "malformed_ip", "source_ip"),
    (spanning("2025-02-28T09:59:59Z", "2025-02-28T09:59:59.999999Z"), f"{OUT}: too_late", None),
    (spanning("2025-02-28T09:59:59.999999Z", None), f"{OUT}: too_late", None),
    (spanning("2025-03-01T10:30:00Z", None), f"{OUT}: too_early", None),
    (spanning("2025-02-28T09:00:00Z", "2025-03-01T10:30:00Z"), f"{OUT}: too_early", None),
    (
        spanning("2025-03-01T10:29:59.999999Z", "2025-03-01T10:30:00Z"),
        f"{OUT}: too_early, fits event_start",
        None,
    ),
]


def test_rejects_go_to_quarantine_under_the_first_rule_that_applies(
    engine: Engine, tmp_path: Path
) -> None:
    plan = make_plan(TELLING, SLICE)
    lines = [line for line, *_ in REJECTED]
    batch = write_batch(tmp_path / "in", [[flow(), *lines]])
    tables = run_engine(engine, plan, batch, tmp_path / "out")
    expected = [
        Quarantined(label.partition(": ")[0], field, _text(line), label.partition(": ")[2] or None)
        for line, label, field in REJECTED
    ]
    assert differences(run_reference(plan, batch), tables) == []
    assert sorted(map(repr, tables.quarantine)) == sorted(map(repr, expected))
    assert tables.report.read == len(lines) + 1
    assert tables.report.kept == 1
    assert sum(tables.report.rejected.values()) == len(lines)
    labels = Counter(item.label for item in expected)
    assert tables.report.rejected_by_label.items() >= labels.items()
    assert tables.report.examples == {
        label: min(item.example for item in expected if item.label == label) for label in labels
    }


def _text(line: dict[str, Any] | str | bytes) -> str:
    if isinstance(line, dict):
        return json.dumps(line)
    return line if isinstance(line, str) else line.decode(errors="replace")


PACKED = make_spec(
    input={
        "preset": "paloalto",
        "fields": {
            name: {"column": name, "optional": True}
            for name in (
                *("source_packets", "destination_packets"),
                *("source_ip_bytes", "destination_ip_bytes", "missed_bytes"),
            )
        },
    }
)
"""Of a source that tells packets and what bounds bytes."""
PHANTOM = {"destination_bytes": 1_715_022_185, "destination_ip_bytes": 80}


def test_repairs_keep_the_record_and_count_it(engine: Engine, tmp_path: Path) -> None:
    lines = [
        flow(source_bytes=-1, destination_bytes=-7),  # both sides, one record
        flow(destination_port=65536),
        flow(source_port=-1, destination_port=65535),
        flow(event_end="2025-03-01T09:59:59Z"),
        flow(event_end=None),
        flow(event_end=None, source_bytes=-1),
        flow(source_packets=-1, destination_packets=2),
        flow(**PHANTOM, missed_bytes=-1),
        flow(**PHANTOM, missed_bytes=1_715_022_185, source_ip_bytes=40),
        flow(destination_bytes=5000, destination_ip_bytes=80, source_packets=3),
    ]
    batch = write_batch(tmp_path / "in", [lines])
    plan = make_plan(PACKED, SLICE)
    tables = run_engine(engine, plan, batch, tmp_path / "out")
    assert differences(run_reference(plan, batch), tables) == []
    assert tables.report.kept == len(lines)
    assert tables.report.repaired == {
        "negative_bytes": 4,
        "invalid_port": 2,
        "implausible_bytes": 2,
        "negative_duration": 1,
        "missing_end": 2,
    }
    (row,) = [row for row in tables.deltas if row["role"] == "outbound"]
    assert row["bytes_sent_sum"] == 8 * 100
    assert row["bytes_recv_sum"] == 6 * 1000 + 5000
    assert (row["packets_sent_sum"], row["packets_recv_sum"]) == (3, 2)
    assert row["duration_us_sum"] == 7 * 2_000_000
    assert row["short_session_cnt"] == 0
    assert {pair["peer_port"] for pair in tables.pairs} == {443, None, 65535}


def test_of_duplicates_the_longest_and_then_the_least_text_is_kept(
    engine: Engine, tmp_path: Path
) -> None:
    spec = make_spec(quality={"deduplicate_on": ["source_port", "session"]})
    early, late = "2025-03-01T10:00:01Z", "2025-03-01T10:00:02Z"
    kept = [
        flow(session="a", event_end=late, source_bytes=1),
        flow(session="b", event_end=early, source_bytes=3),
        flow(session="c", event_end=None, source_bytes=0, destination_bytes=0),
        flow(session="d", x=1),
        flow(session="d", event_name="THREAT"),
        flow(session="d", event_name=None),
        flow(session=None, source_bytes=4),  # a key with a null is no key
        flow(session=None, source_bytes=4),
    ]
    duplicates = [
        flow(session="a", event_end=early, source_bytes=100),
        flow(session="a", event_end=None, source_bytes=100),
        flow(session="b", event_end=early, source_bytes=2, destination_bytes=9000),
        flow(session="b", event_end=early, source_bytes=-1, destination_bytes=9000),
        flow(session="c", event_end="2025-03-01T10:00:00Z", source_bytes=0, destination_bytes=None),
        flow(session="d", x=2),
        flow(session="d", event_name="threat", y=1),
    ]
    plan = make_plan(spec, SLICE)
    for order, lines in enumerate(([*kept, *duplicates], [*duplicates, *kept])):
        batch = write_batch(tmp_path / f"in{order}", [lines[:3], lines[3:]])
        tables = run_engine(engine, plan, batch, tmp_path / f"out{order}")
        assert sorted(item.raw for item in tables.quarantine) == sorted(map(json.dumps, duplicates))
        assert tables.report.rejected["duplicate"] == len(duplicates)
        assert differences(run_reference(plan, batch), tables) == []


def test_a_threat_is_no_session_and_icmp_has_no_ports(engine: Engine, tmp_path: Path) -> None:
    lines = [
        flow(event_name="Threat", event_action="alert", source_ip="10.0.0.9"),
        flow(event_name="THREAT", event_action="drop"),
        flow(event_action="Drop_ICMP", network_transport="ipv6-icmp", destination_port=135),
        flow(**NO_NUMBERS, event_action="sinkhole", network_transport="58"),
        flow(event_action="so be it", network_transport="200", event_name="URL"),
    ]
    batch = write_batch(tmp_path / "in", [lines])
    plan = make_plan(bounds=SLICE)

    tables = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), tables) == []
    alone, row = sorted(
        (row for row in tables.deltas if row["role"] == "outbound"),
        key=lambda row: int(row["sessions_cnt"]),
    )
    counted = {name: value for name, value in alone.items() if name.endswith("_cnt") and value}
    assert counted == {"threat_cnt": 1, "alert_cnt": 1}
    assert (row["sessions_cnt"], row["threat_cnt"], row["drop_cnt"], row["icmp_cnt"]) == (
        3,
        1,
        2,
        2,
    )
    assert row["high_risk_sessions_cnt"] == 0
    outbound = [pair for pair in tables.pairs if pair["role"] == "outbound"]
    assert {(pair["peer_port"], pair["sessions_cnt"]) for pair in outbound} == {(None, 2), (443, 1)}
    assert tables.report.kept == 5
    assert tables.report.unknown == {
        "event_action": {"so-be-it": 1},
        "event_name": {"URL": 1},
        "network_transport": {"200": 1},
    }


ADDRESSES = {
    "::ffff:192.0.2.7": "192.0.2.7",
    "::FFFF:C000:207": "192.0.2.7",
    "0:0:0:0:0:ffff:c000:0207": "192.0.2.7",
    "::ffff:0:0": "0.0.0.0",
    "::ffff:1": "::ffff:1",
    "::ffff:1:2:3": "::ffff:1:2:3",
    "1::ffff:102:304": "1::ffff:102:304",
    "fe80::1%eth0": "fe80::1",
    "FE80:0::2%a:b": "fe80::2",
    "::ffff:192.0.2.8%lo": "192.0.2.8",
    "64:ff9b::192.0.2.1": "64:ff9b::c000:201",
}


def test_an_address_has_one_text_without_a_zone(engine: Engine, tmp_path: Path) -> None:
    lines = [flow(destination_ip=text) for text in ADDRESSES]
    wrong = [
        flow(destination_ip=text)
        for text in ("192.0.2.1%eth0", "192.0.2.1%e:0", "::1%", "::1% ", "::1%a%b")
    ]
    batch = write_batch(tmp_path / "in", [[*lines, *wrong]])
    plan = make_plan(bounds=SLICE)

    tables = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), tables) == []
    assert {row["host_ip"] for row in tables.deltas if row["role"] == "inbound"} == set(
        ADDRESSES.values()
    )
    assert tables.report.rejected["malformed_ip"] == len(wrong)


def test_blank_lines_are_no_records(engine: Engine, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [["", "  ", "\t\r", flow()]])
    report = run_engine(engine, make_plan(), batch, tmp_path / "out").report
    assert (report.read, report.blank_lines) == (1, 3)


def test_a_line_of_50_mb_is_malformed_and_cut(engine: Engine, tmp_path: Path) -> None:
    long = json.dumps(flow(extra="x" * 50_000_000))
    batch = write_batch(tmp_path / "in", [[flow(), long, flow()]])
    tables = run_engine(engine, make_plan(), batch, tmp_path / "out")
    assert tables.quarantine == [Quarantined("malformed_record", None, long[:8192])]
    assert tables.report.kept == 2


def test_the_quarantined_text_is_cut_at_a_character(engine: Engine, tmp_path: Path) -> None:
    lines = ["x" * shift + "é€😀" * 2000 for shift in range(9)]
    batch = write_batch(tmp_path / "in", [lines])
    plan = make_plan()
    tables = run_engine(engine, plan, batch, tmp_path / "out")
    assert differences(run_reference(plan, batch), tables) == []
    assert all(8189 <= len(item.raw.encode()) <= 8192 for item in tables.quarantine)


@pytest.mark.parametrize("column", ["bytes_sent_sum", "bytes_recv_sum"])
def test_a_sum_that_leaves_int64_is_an_error_that_names_the_column(
    engine: Engine, tmp_path: Path, column: str
) -> None:
    field = {"bytes_sent_sum": "source_bytes", "bytes_recv_sum": "destination_bytes"}[column]
    # Outbound is one host with three peers: only its sum is too large, no pair's.
    lines = [flow(destination_ip=f"192.0.2.{n}", **{field: 1 << 62}) for n in range(3)]
    batch = write_batch(tmp_path / "in", [lines[:1], lines[1:]])
    plan = make_plan(bounds=SLICE)
    with pytest.raises(OverflowingColumnError, match=rf"{column}.*host 10.0.0.1 \(outbound"):
        run_engine(engine, plan, batch, tmp_path / "out")
    fine = write_batch(tmp_path / "fine", [[flow(**{field: (1 << 63) - 1}), flow(**{field: 0})]])
    tables = run_engine(engine, plan, fine, tmp_path / "out2")
    assert [row[column] for row in tables.deltas if row["role"] == "outbound"] == [(1 << 63) - 1]


AROUND_BOUNDS = [
    spanning("2025-02-28T10:00:00Z", None),  # late as far as is allowed
    spanning("2025-03-01T09:59:59Z", "2025-03-01T09:59:59.999999Z"),
    spanning("2025-03-01T09:00:00Z", "2025-03-01T10:00:00Z"),  # in, by its end
    spanning("2025-03-01T10:14:00Z", "2025-03-01T10:15:00Z"),
    spanning("2025-03-01T10:15:00Z", "2025-03-01T10:14:00Z"),  # an end before the start
    spanning("2025-03-01T10:29:59.999999Z", None),
    spanning("2025-03-01T10:29:00Z", "2025-03-01T10:30:00Z"),  # early
    spanning("2025-03-01T10:44:59.999999Z", None),
]


@pytest.mark.parametrize(
    ("moment", "slices", "late", "early"),
    [
        (
            "event_end",
            ["28 10:00", "01 09:45", "01 10:00", "01 10:15", "01 10:30"],
            2,
            2,
        ),
        (
            "event_start",
            ["28 10:00", "01 09:00", "01 09:45", "01 10:00", "01 10:15", "01 10:30"],
            3,
            1,
        ),
    ],
)
def test_kept_records_around_the_bounds_fall_into_their_own_slices_and_are_counted(
    engine: Engine, tmp_path: Path, moment: str, slices: list[str], late: int, early: int
) -> None:
    plan = make_plan(
        make_spec(delta={"moment": moment}), ("2025-03-01T10:00:00Z", "2025-03-01T10:30:00Z")
    )
    batch = write_batch(tmp_path / "in", [AROUND_BOUNDS[:4], AROUND_BOUNDS[4:]])

    tables = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), tables) == []
    assert (tables.report.late, tables.report.early) == (late, early)
    rows = [row for row in tables.deltas if row["role"] == "outbound"]
    assert [f"{row['dt'][-2:]} {row['hh']}:{row['mm']}" for row in rows] == slices
    assert sum(row["sessions_cnt"] for row in rows) == len(AROUND_BOUNDS)


def test_a_run_without_rows_leaves_no_file_of_a_table(engine: Engine, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[flow(**NO_NUMBERS), ""]])

    for name, plan in (("bounded", make_plan(bounds=SLICE)), ("open", make_plan())):
        tables = run_engine(engine, plan, batch, tmp_path / name)

        assert tables.report.rejected["non_traffic"] == 1
        assert list((tmp_path / name).glob("delta/**/*.parquet")) == []
        assert list((tmp_path / name).glob("pair/**/*.parquet")) == []


@pytest.mark.parametrize("minutes", [1, 60])
def test_slices_last_as_long_as_the_spec_says(engine: Engine, tmp_path: Path, minutes: int) -> None:
    plan = make_plan(make_spec(delta={"slice_minutes": minutes}))
    batch = write_batch(tmp_path / "in", [AROUND_BOUNDS])

    tables = run_engine(engine, plan, batch, tmp_path / "out")

    assert differences(run_reference(plan, batch), tables) == []
    assert {row["slice_end_ts"] - row["slice_start_ts"] for row in tables.deltas} == {
        minutes * 60_000_000
    }


def test_without_bounds_each_record_falls_into_its_quarter_of_an_hour(
    engine: Engine, tmp_path: Path
) -> None:
    starts = [
        "2025-03-01T23:59:59.999999Z",
        "2025-03-02T00:00:00Z",
        "2025-03-02T00:14:59.999999Z",
        "2025-03-02T00:15:00Z",
        "2025-03-30T02:30:00+01:00",
    ]
    batch = write_batch(tmp_path / "in", [[spanning(start, None) for start in starts]])
    tables = run_engine(engine, make_plan(), batch, tmp_path / "out")
    rows = [row for row in tables.deltas if row["role"] == "outbound"]
    assert [(row["dt"], row["hh"], row["mm"], row["sessions_cnt"]) for row in rows] == [
        ("2025-03-01", "23", "45", 1),
        ("2025-03-02", "00", "00", 2),
        ("2025-03-02", "00", "15", 1),
        ("2025-03-30", "01", "30", 1),
    ]

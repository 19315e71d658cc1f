"""What each quality rule rejects or repairs, on every engine."""

from __future__ import annotations

import json
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
    (flow(event_start=None, source_ip="x"), "missing_event_start", None),
    (flow(source_ip="10.0.0.256", event_start="2025-02-01T09:00:00Z"), "malformed_ip", None),
    (flow(destination_ip=None), "malformed_ip", None),
    (flow(destination_ip="fe80::1%eth0"), "malformed_ip", None),
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
    plan = make_plan(bounds=SLICE)
    lines = [line for line, *_ in REJECTED]
    batch = write_batch(tmp_path / "in", [[flow(), *lines]])
    tables = run_engine(engine, plan, batch, tmp_path / "out")
    expected = [
        Quarantined(label.partition(": ")[0], field, _text(line), label.partition(": ")[2] or None)
        for line, label, field in REJECTED
    ]
    assert sorted(map(repr, tables.quarantine)) == sorted(map(repr, expected))
    assert tables.report.read == len(lines) + 1
    assert tables.report.kept == 1
    assert sum(tables.report.rejected.values()) == len(lines)
    assert tables.report.rejected_by_detail == {
        f"{OUT}: too_early, fits event_start": 1,
        f"{OUT}: too_late": 2,
        f"{OUT}: too_early": 2,
    }


def _text(line: dict[str, Any] | str | bytes) -> str:
    if isinstance(line, dict):
        return json.dumps(line)
    return line if isinstance(line, str) else line.decode(errors="replace")


def test_repairs_change_and_count_and_keep(engine: Engine, tmp_path: Path) -> None:
    lines = [
        flow(source_bytes=-1, destination_bytes=-7),  # both sides, one record
        flow(destination_port=65536),
        flow(source_port=-1, destination_port=65535),
        flow(event_end="2025-03-01T09:59:59Z"),
        flow(event_end=None),
        flow(event_end=None, source_bytes=-1),
    ]
    batch = write_batch(tmp_path / "in", [lines])
    tables = run_engine(engine, make_plan(bounds=SLICE), batch, tmp_path / "out")
    assert tables.report.kept == len(lines)
    assert tables.report.repaired == {
        "negative_bytes": 2,
        "invalid_port": 2,
        "negative_duration": 1,
        "missing_end": 2,
    }
    (row,) = [row for row in tables.deltas if row["role"] == "outbound"]
    assert row["bytes_sent_sum"] == 4 * 100
    assert row["duration_us_sum"] == 3 * 2_000_000
    assert {pair["peer_port"] for pair in tables.pairs} == {443, None, 65535}


def test_of_duplicates_the_earliest_and_then_the_least_text_is_kept(
    engine: Engine, tmp_path: Path
) -> None:
    spec = make_spec(quality={"deduplicate_on": ["source_port", "session"]})
    early, late = "2025-03-01T10:00:00Z", "2025-03-01T10:00:01Z"
    kept = [
        flow(session="a", event_start=early, source_bytes=1),
        flow(session="b", event_start=early, source_bytes=2),
        flow(session=None, source_bytes=4),  # a key with a null is no key
        flow(session=None, source_bytes=4),
    ]
    duplicates = [
        flow(session="a", event_start=late, source_bytes=1),
        flow(session="b", event_start=early, source_bytes=3),
    ]
    plan = make_plan(spec, SLICE)
    for order, lines in enumerate(([*kept, *duplicates], [*duplicates, *kept])):
        batch = write_batch(tmp_path / f"in{order}", [lines[:3], lines[3:]])
        tables = run_engine(engine, plan, batch, tmp_path / f"out{order}")
        assert tables.report.rejected["duplicate"] == 2
        assert sorted(item.raw for item in tables.quarantine) == sorted(map(json.dumps, duplicates))


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

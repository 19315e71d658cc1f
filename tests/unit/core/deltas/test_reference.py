"""What deltas mean, record by record: which are kept, which count once, and what their rows are."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.errors import OverflowingColumnError
from ndr_core.quality.quarantine import Quarantined
from ndr_core.tables.merge import Row
from tests.makers import flow, make_plan, make_spec, us

OPEN = make_plan()
BOUNDED = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))
TEN, QUARTER_PAST = us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z")
LARGEST = (1 << 63) - 1
RULES = ["malformed_record", "bad_value", "non_traffic", "missing_time", "malformed_ip"]


def build(*records: Any, plan: Any = OPEN) -> Tables:
    return build_tables([json.dumps(record) for record in records], plan)


def row_of(rows: list[Row], **keys: Any) -> Row:
    (found,) = [row for row in rows if keys.items() <= row.items()]
    return found


def test_each_record_is_seen_once_per_role() -> None:
    tables = build(flow())

    assert [(row["role"], row["host_ip"]) for row in tables.deltas] == [
        ("inbound", "192.0.2.7"),
        ("outbound", "10.0.0.1"),
    ]
    assert [(row["role"], row["host_ip"], row["peer_ip"]) for row in tables.pairs] == [
        ("inbound", "192.0.2.7", "10.0.0.1"),
        ("outbound", "10.0.0.1", "192.0.2.7"),
    ]


def test_a_delta_row_holds_the_columns_of_its_table_in_order() -> None:
    for row in build(flow()).deltas:
        assert list(row) == [column.name for column in OPEN.delta.columns]


def test_a_row_is_made_from_all_records_of_its_host() -> None:
    tables = build(
        flow(source_bytes=100, destination_port=443, event_start="2025-03-01T10:00:00Z"),
        flow(
            source_bytes=300,
            destination_port=22,
            event_start="2025-03-01T10:01:00Z",
            event_end="2025-03-01T10:01:00.5Z",
            event_action="deny",
        ),
        flow(
            source_bytes=None,
            destination_ip="192.0.2.8",
            event_start="2025-03-01T10:01:59Z",
            event_end=None,
        ),
    )

    row = row_of(tables.deltas, role="outbound")
    expected = {
        "host_ip": "10.0.0.1",
        "slice_start_ts": TEN,
        "slice_end_ts": QUARTER_PAST,
        "mini_batch_id": "mb-1",
        "feature_spec_version": "v1",
        "dt": "2025-03-01",
        "hh": "10",
        "mm": "00",
        "sessions_cnt": 3,
        "bytes_sent_sum": 400,
        "bytes_recv_sum": 3000,
        "duration_us_sum": 2_500_000,
        "duration_sum": 2.5,
        "allow_cnt": 2,
        "drop_cnt": 1,
        "short_session_cnt": 1,
        "web_sessions_cnt": 2,
        "sessions_per_minute": ((TEN // 60_000_000, 1), (TEN // 60_000_000 + 1, 2)),
        "max_sessions_per_minute": 2,
        "peer_ip_nunique": 2,
        "peer_port_nunique": 2,
        "bytes_sent_hist": ((0, 1), (100, 1), (203, 1)),
        "bytes_sent_p25": 0,
        "bytes_sent_p50": 100,
        "bytes_sent_p99": 301,
    }
    assert {name: row[name] for name in expected} == expected


def test_pairs_are_the_sums_of_host_peer_and_port_in_order_an_unknown_port_first() -> None:
    tables = build(
        flow(destination_ip="192.0.2.8", destination_port=443),
        flow(destination_port=443, event_end="2025-03-01T10:00:09Z"),
        flow(destination_port=22),
        flow(destination_port=443, source_bytes=5, destination_bytes=7),
        flow(destination_port=None, event_end=None),
    )

    rows = [row for row in tables.pairs if row["role"] == "outbound"]
    named = ("peer_ip", "peer_port", "sessions_cnt", "bytes_sent_sum", "bytes_recv_sum", "event_ts")
    assert [tuple(row[name] for name in named) for row in rows] == [
        ("192.0.2.7", None, 1, 100, 1000, TEN),
        ("192.0.2.7", 22, 1, 100, 1000, TEN + 2_000_000),
        ("192.0.2.7", 443, 2, 105, 1007, TEN + 9_000_000),
        ("192.0.2.8", 443, 1, 100, 1000, TEN + 2_000_000),
    ]
    assert (
        rows[0].items()
        >= {
            "host_ip": "10.0.0.1",
            "slice_start_ts": TEN,
            "slice_end_ts": QUARTER_PAST,
            "mini_batch_id": "mb-1",
            "feature_spec_version": "v1",
            "dt": "2025-03-01",
            "hh": "10",
            "mm": "00",
        }.items()
    )


def test_rows_are_sorted_by_slice_role_and_host() -> None:
    tables = build(
        flow(event_start="2025-03-01T10:15:00Z", event_end="2025-03-01T10:15:00Z"),
        flow(source_ip="10.0.0.2"),
        flow(source_ip="10.0.0.1"),
    )

    keys = [(row["slice_start_ts"], row["role"], row["host_ip"]) for row in tables.deltas]
    assert keys == [
        (TEN, "inbound", "192.0.2.7"),
        (TEN, "outbound", "10.0.0.1"),
        (TEN, "outbound", "10.0.0.2"),
        (QUARTER_PAST, "inbound", "192.0.2.7"),
        (QUARTER_PAST, "outbound", "10.0.0.1"),
    ]


def test_no_lines_make_empty_tables_and_a_report_of_nothing() -> None:
    tables = build_tables([], BOUNDED)

    assert (tables.deltas, tables.pairs, tables.quarantine) == ([], [], [])
    assert (tables.report.read, tables.report.kept) == (0, 0)
    assert list(tables.report.rejected) == [*RULES, "out_of_slice"]


def test_blank_lines_are_counted_and_are_no_records() -> None:
    tables = build_tables(["", json.dumps(flow()), "  "], OPEN)

    assert tables.report.blank_lines == 2
    assert tables.report.read == tables.report.kept == 1


def test_a_line_that_can_not_be_read_is_rejected_with_its_field_and_text() -> None:
    tables = build_tables(["{", json.dumps(flow(source_port=[1]))], OPEN)

    assert [item.rule for item in tables.quarantine] == ["malformed_record", "bad_value"]
    assert tables.report.rejected["malformed_record"] == tables.report.rejected["bad_value"] == 1
    assert tables.quarantine[0].raw == "{"
    assert tables.quarantine[1].field == "source_port"


def test_a_record_that_is_not_selected_is_only_counted() -> None:
    only = {"preset": "paloalto", "only": {"event_action": ["allow"]}}
    lines = [json.dumps(flow(event_action=action)) for action in ("allow", "deny", "deny")]

    tables = build_tables(lines, make_plan(make_spec(input=only)))

    assert (tables.report.read, tables.report.kept, tables.report.skipped) == (3, 1, 2)
    assert tables.quarantine == []


def test_a_rejected_record_is_set_aside_under_the_first_rule_that_applies() -> None:
    record = flow(event_start=None, source_ip="nowhere")

    tables = build(record)

    assert tables.quarantine == [Quarantined("missing_time", None, json.dumps(record))]
    assert tables.report.rejected["missing_time"] == 1
    assert tables.report.rejected["malformed_ip"] == 0
    assert tables.deltas == tables.pairs == []


def test_a_record_outside_the_bounds_is_late_or_early_or_rejected_as_the_spec_says() -> None:
    spec = make_spec(quality={"allowed_lateness": "1h", "allowed_earliness": "5m"})
    plan = make_plan(spec, ("2025-03-01T10:00:00Z", "2025-03-01T10:30:00Z"))
    tables = build(
        *(
            flow(event_start=f"2025-03-01T{time}Z", event_end=None)
            for time in (
                *("08:59:59.999999", "09:00:00", "09:59:59.999999", "10:00:00"),
                *("10:29:59.999999", "10:30:00", "10:34:59.999999", "10:35:00"),
            )
        ),
        plan=plan,
    )

    assert (tables.report.kept, tables.report.late, tables.report.early) == (6, 2, 2)
    assert tables.report.rejected["out_of_slice"] == 2
    assert tables.report.rejected_by_detail == {
        "out_of_slice: too_late": 1,
        "out_of_slice: too_early": 1,
    }
    assert [(item.rule, item.detail) for item in tables.quarantine] == [
        ("out_of_slice", "too_late"),
        ("out_of_slice", "too_early"),
    ]
    outbound = [row for row in tables.deltas if row["role"] == "outbound"]
    assert [(row["hh"], row["mm"], row["sessions_cnt"]) for row in outbound] == [
        ("09", "00", 1),
        ("09", "45", 1),
        ("10", "00", 1),
        ("10", "15", 1),
        ("10", "30", 2),
    ]


SPANNING = (
    ("2025-03-01T10:14:00Z", "2025-03-01T10:16:00Z"),  # into the next slice
    ("2025-03-01T10:14:59Z", "2025-03-01T10:15:00Z"),  # to its edge
    ("2025-03-01T10:15:00Z", "2025-03-01T10:14:00Z"),  # an end before the start
    ("2025-03-01T10:15:00Z", None),
)


@pytest.mark.parametrize(
    ("moment", "minutes"),
    [
        ("event_end", {("10", "15"): [(15, 3), (16, 1)]}),
        ("event_start", {("10", "00"): [(14, 2)], ("10", "15"): [(15, 2)]}),
    ],
)
def test_slices_and_minutes_are_those_of_the_moment(
    moment: str, minutes: dict[tuple[str, str], list[tuple[int, int]]]
) -> None:
    records = (flow(event_start=start, event_end=end) for start, end in SPANNING)

    tables = build(*records, plan=make_plan(make_spec(delta={"moment": moment})))

    ten = TEN // 60_000_000
    assert {
        (row["hh"], row["mm"]): [(minute - ten, cnt) for minute, cnt in row["sessions_per_minute"]]
        for row in tables.deltas
        if row["role"] == "outbound"
    } == minutes
    assert tables.report.repaired["negative_duration"] == 1
    assert tables.report.repaired["missing_end"] == 1


def test_slices_last_as_long_as_the_spec_says() -> None:
    tables = build(
        flow(event_end="2025-03-01T10:04:59Z"),
        flow(event_end="2025-03-01T10:05:00Z"),
        plan=make_plan(make_spec(delta={"slice_minutes": 5})),
    )

    outbound = [row for row in tables.deltas if row["role"] == "outbound"]
    assert [(row["slice_start_ts"], row["slice_end_ts"]) for row in outbound] == [
        (TEN, TEN + 300_000_000),
        (TEN + 300_000_000, TEN + 600_000_000),
    ]
    pairs = [row for row in tables.pairs if row["role"] == "outbound"]
    assert [row["mm"] for row in pairs] == ["00", "05"]


def test_a_kept_record_is_counted_by_each_rule_that_repairs_it() -> None:
    tables = build(
        flow(source_bytes=-1, destination_bytes=-5, destination_port=70000),
        flow(event_end="2025-03-01T09:00:00Z"),
        flow(event_end=None),
        flow(event_end=None),
    )

    assert tables.report.repaired == {
        "negative_bytes": 1,
        "invalid_port": 1,
        "implausible_bytes": 0,
        "negative_duration": 1,
        "missing_end": 2,
    }
    row = row_of(tables.deltas, role="outbound")
    assert row["bytes_sent_sum"] == 300
    assert row["duration_us_sum"] == 2_000_000
    assert [pair["peer_port"] for pair in tables.pairs if pair["role"] == "outbound"] == [None, 443]


DEDUPLICATING = make_plan(make_spec(quality={"deduplicate_on": ["uid", "source_ip"]}))


def test_records_that_are_equal_in_all_keys_count_once() -> None:
    tables = build(
        flow(uid="a"),
        flow(uid="a", destination_port=22),
        flow(uid="a", source_ip="10.0.0.2"),
        flow(uid="b"),
        plan=DEDUPLICATING,
    )

    assert tables.report.rejected["duplicate"] == 1
    assert tables.report.kept == 3
    assert [item.rule for item in tables.quarantine] == ["duplicate"]


def test_records_without_a_key_are_no_duplicates_of_each_other() -> None:
    tables = build(flow(uid=None), flow(uid=None), flow(), flow(), plan=DEDUPLICATING)

    assert tables.report.kept == 4


def test_a_record_that_is_rejected_for_another_reason_takes_no_key() -> None:
    tables = build(
        flow(uid="a", destination_ip="nowhere", event_start="2025-03-01T09:00:00Z"),
        flow(uid="a"),
        plan=DEDUPLICATING,
    )

    assert tables.report.rejected["duplicate"] == 0
    assert tables.report.kept == 1


def test_without_keys_equal_records_count_each() -> None:
    assert build(flow(), flow()).report.kept == 2


SHORT = flow(uid="a", source_bytes=8, event_end="2025-03-01T10:00:01Z")
LONGER = flow(uid="a", source_bytes=None, event_end="2025-03-01T10:00:02Z")


@pytest.mark.parametrize(
    ("longest", "others"),
    [
        (LONGER, [SHORT, flow(uid="a", source_bytes=9, event_end=None)]),
        (LONGER | {"source_bytes": 0}, [LONGER, LONGER | {"source_bytes": -5}]),
        (LONGER | {"source_bytes": 2}, [LONGER | {"source_bytes": 1, "destination_bytes": 9**9}]),
        (LONGER | {"destination_bytes": 0}, [LONGER | {"destination_bytes": None}]),
        (LONGER | {"a": 1}, [LONGER | {"a": 2}, LONGER | {"b": 1}]),
    ],
)
def test_of_equal_keys_the_longest_record_is_kept_whatever_their_order(
    longest: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    for records in permutations([longest, *others]):
        tables = build(*records, plan=DEDUPLICATING)

        rejected = sorted(item.raw for item in tables.quarantine)
        assert rejected == sorted(map(json.dumps, others))
        assert {item.rule for item in tables.quarantine} == {"duplicate"}


def test_a_threat_is_no_duplicate_of_its_session() -> None:
    session, threat = flow(uid="a"), flow(uid="a", event_name="THREAT")

    tables = build(session, threat, flow(uid="a", event_name=None), session, plan=DEDUPLICATING)

    assert (tables.report.kept, tables.report.rejected["duplicate"]) == (3, 1)


def test_records_are_compared_as_they_are_repaired() -> None:
    plan = make_plan(make_spec(quality={"deduplicate_on": ["event_end", "source_port"]}))

    tables = build(
        flow(event_end=None),
        flow(event_end="2025-03-01T10:00:00Z"),
        flow(event_end=None, source_port=70000),
        flow(event_end=None, source_port=70000),
        plan=plan,
    )

    assert (tables.report.kept, tables.report.rejected["duplicate"]) == (3, 1)


def test_the_type_and_code_of_icmp_are_compared_and_then_are_no_ports() -> None:
    plan = make_plan(make_spec(quality={"deduplicate_on": ["destination_port"]}))
    tables = build(
        flow(network_transport="ipv6-icmp", destination_port=135),
        flow(network_transport="58", destination_port=136),
        flow(network_transport="58", destination_port=136),
        plan=plan,
    )

    assert tables.report.rejected["duplicate"] == 1
    assert {(row["peer_port"], row["sessions_cnt"]) for row in tables.pairs} == {(None, 2)}
    row = row_of(tables.deltas, role="outbound")
    assert (row["icmp_cnt"], row["high_risk_sessions_cnt"], row["peer_port_nunique"]) == (2, 0, 0)


def test_a_host_of_threats_alone_has_a_delta_row_of_nothing_else_and_no_pair() -> None:
    tables = build(flow(event_name="threat", event_action="Alert"))

    row = row_of(tables.deltas, role="outbound")
    assert tables.pairs == []
    assert {name: value for name, value in row.items() if name.endswith("_cnt") and value} == {
        "threat_cnt": 1,
        "alert_cnt": 1,
    }
    assert row["bytes_sent_hist"] == row["sessions_per_minute"] == ()
    assert (row["max_sessions_per_minute"], row["peer_ip_nunique"]) == (0, 0)
    assert row["duration_p50"] is row["peer_ip_entropy"] is None


def test_each_rule_shows_the_beginning_of_the_least_record_that_it_rejected() -> None:
    long = json.dumps(flow(source_ip="b", x="y" * 500))
    lines = [json.dumps(flow(source_ip="c")), long, json.dumps(flow(destination_ip=None)), "{"]

    report = build_tables(lines, OPEN).report

    assert report.examples == {
        "malformed_record": "{",
        "malformed_ip: source_ip": long[:200],
        "malformed_ip: destination_ip": lines[2][:200],
    }


def test_values_of_kept_records_that_no_measure_knows_are_told() -> None:
    tables = build(
        flow(event_action="Let It_pass", event_name="URL", network_transport="200"),
        flow(event_action="let-it-pass", event_name=None, network_transport=None),
        flow(event_action="x" * 70, network_transport=47),
        flow(event_action="nobody", source_ip="nowhere"),
    )

    assert tables.report.unknown == {
        "event_action": {"let-it-pass": 2, "x" * 64: 1},
        "event_name": {"URL": 1},
        "network_transport": {"200": 1},
    }


def test_sums_up_to_the_largest_int64_are_made() -> None:
    tables = build(flow(source_bytes=LARGEST - 100), flow(source_bytes=100))

    assert row_of(tables.deltas, role="outbound")["bytes_sent_sum"] == LARGEST


def test_a_sum_that_leaves_int64_is_an_error_that_names_column_and_row() -> None:
    with pytest.raises(
        OverflowingColumnError, match=r"bytes_sent_sum: .* host 10\.0\.0\.1 \(outbound, "
    ):
        build(flow(source_bytes=LARGEST), flow(source_bytes=1))


def test_a_sum_of_pairs_overflows_though_no_measure_of_it_was_chosen() -> None:
    plan = make_plan(make_spec(roles=["outbound"], delta={"measures": ["sessions_cnt"]}))

    with pytest.raises(OverflowingColumnError) as caught:
        build(flow(destination_bytes=LARGEST), flow(destination_bytes=1), plan=plan)

    assert caught.value.column == "bytes_recv_sum"


def test_files_that_could_not_be_read_are_in_the_report() -> None:
    report = build_tables([], OPEN, {"b.gz": "is cut", "a.gz": "is empty"}).report

    assert list(report.unreadable_files.items()) == [("a.gz", "is empty"), ("b.gz", "is cut")]
    assert build_tables([], OPEN).report.unreadable_files == {}

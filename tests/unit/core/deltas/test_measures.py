"""Each measure of the catalogue, by the records that it counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ndr_core.deltas.counters import Counter
from ndr_core.deltas.measures import (
    measures_for,
    measures_in,
    select_measures,
    unknown_measures,
)
from ndr_core.errors import Problem
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import Expr
from ndr_core.int64 import INT64_MAX
from ndr_core.measures.derive import derive_row
from ndr_core.measures.kinds import Additive, Derived, Distribution, Measure, PairDerived
from ndr_core.tables.columns import ColumnType, Merge
from ndr_core.times import MINUTE_US, TIME_LIMIT_US

PORT_SETS = {"web": frozenset({80, 443}), "dns": frozenset({53})}
MEASURES = measures_for(port_sets=PORT_SETS, short_session_seconds=1.0, knows_reply=True)
VIEW: dict[str, Any] = {
    "host_ip": "10.0.0.1",
    "peer_ip": "192.0.2.7",
    "peer_port": 443,
    "bytes_sent": 7,
    "bytes_recv": 9,
    "duration_us": 1_000_000,
    "event_ts": 0,
    "minute": 5,
    "reply_bytes": 9,
    "event_action": "other",
    "event_reason": "other",
    "event_name": "other",
    "network_transport": "other",
}


def named(name: str, measures: tuple[Measure, ...] = MEASURES) -> Measure:
    (found,) = [measure for measure in measures if measure.name == name]
    return found


def added(name: str, measures: tuple[Measure, ...] = MEASURES, /, **view: Any) -> Any:
    measure = named(name, measures)
    assert isinstance(measure, Additive)
    return evaluate(measure.contribution, VIEW | view)


def test_measures_have_distinct_names_and_columns() -> None:
    columns = [column.name for measure in MEASURES for column in measure.columns()]

    assert len(set(columns)) == len(columns)
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)


def test_the_columns_come_in_an_order_that_readers_rely_on() -> None:
    columns = [column.name for measure in MEASURES for column in measure.columns()]

    assert columns == [
        "sessions_cnt",
        "bytes_sent_sum",
        "bytes_recv_sum",
        "duration_us_sum",
        "duration_sum",
        "allow_cnt",
        "drop_cnt",
        "alert_cnt",
        "rst_cnt",
        "aged_out_cnt",
        "threat_cnt",
        "traffic_cnt",
        "tcp_cnt",
        "udp_cnt",
        "icmp_cnt",
        "zero_reply_cnt",
        "short_session_cnt",
        "dns_sessions_cnt",
        "web_sessions_cnt",
        "sessions_per_minute",
        "max_sessions_per_minute",
        "peer_ip_nunique",
        "peer_port_nunique",
        "peer_ip_entropy",
        "peer_port_entropy",
        "peer_ip_top1_sessions_share",
        "peer_port_top1_sessions_share",
        "peer_ip_top1_bytes_share",
        "peer_port_top1_bytes_share",
        *(
            f"{name}_{readout}"
            for name in ("bytes_sent", "bytes_recv", "duration")
            for readout in ("hist", "p25", "p50", "p75", "p95", "p99")
        ),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sessions_cnt", 1),
        ("bytes_sent_sum", 7),
        ("bytes_recv_sum", 9),
        ("duration_us_sum", 1_000_000),
    ],
)
def test_sums_add_what_each_record_has(name: str, value: int) -> None:
    assert added(name) == value


@pytest.mark.parametrize(
    ("name", "column", "counted"),
    [
        ("allow_cnt", "event_action", ["allow"]),
        ("drop_cnt", "event_action", ["drop", "deny", "reset-both", "reset-"]),
        ("alert_cnt", "event_action", ["alert"]),
        ("rst_cnt", "event_reason", ["tcp-rst", "tcp-rst-from-client"]),
        ("aged_out_cnt", "event_reason", ["aged-out"]),
        ("threat_cnt", "event_name", ["THREAT"]),
        ("traffic_cnt", "event_name", ["TRAFFIC"]),
        ("tcp_cnt", "network_transport", ["TCP"]),
        ("udp_cnt", "network_transport", ["UDP"]),
        ("icmp_cnt", "network_transport", ["ICMP"]),
    ],
)
def test_each_count_counts_its_texts_and_no_other(
    name: str, column: str, counted: list[str]
) -> None:
    texts = [
        *("allow", "drop", "deny", "reset-both", "reset-", "reset", "alert", "alerted"),
        *("tcp-rst", "tcp-rst-from-client", "tcp-fin", "aged-out", "aged-out2"),
        *("THREAT", "TRAFFIC", "traffic", "TCP", "UDP", "ICMP", "tcp", "", None),
    ]

    assert [text for text in texts if added(name, **{column: text})] == counted


def test_a_reply_of_no_bytes_and_one_that_was_not_counted_are_zero_replies() -> None:
    assert [added("zero_reply_cnt", reply_bytes=reply) for reply in (0, None, 1)] == [1, 1, 0]


def test_where_replies_are_never_told_none_is_a_zero_reply() -> None:
    measures = measures_for(port_sets={}, short_session_seconds=1.0, knows_reply=False)

    assert [added("zero_reply_cnt", measures, reply_bytes=reply) for reply in (0, None)] == [0, 0]


@pytest.mark.parametrize(("seconds", "limit"), [(1.0, 1_000_000), (0.0000005, 0), (2.5, 2_500_000)])
def test_a_session_is_short_when_it_is_shorter_than_the_given_seconds(
    seconds: float, limit: int
) -> None:
    measures = measures_for(port_sets={}, short_session_seconds=seconds, knows_reply=True)

    counted = [added("short_session_cnt", measures, duration_us=limit + by) for by in (-1, 0, 1)]

    assert counted == [1, 0, 0]
    assert named("short_session_cnt", measures).columns()[0].meaning == (
        f"sessions shorter than {seconds:g} s"
    )


def test_each_port_set_counts_the_sessions_to_its_ports() -> None:
    ports = (80, 443, 53, 22, None)

    assert [added("web_sessions_cnt", peer_port=port) for port in ports] == [1, 1, 0, 0, 0]
    assert [added("dns_sessions_cnt", peer_port=port) for port in ports] == [0, 0, 1, 0, 0]


def test_the_duration_in_seconds_is_made_from_the_microseconds() -> None:
    measure = named("duration_sum")
    assert isinstance(measure, Derived)

    assert evaluate(measure.value, {"duration_us_sum": 1_500_000}) == 1.5
    assert measure.needs == ("duration_us_sum",)


def test_distributions_are_over_minutes_bytes_and_durations() -> None:
    buckets = {
        measure.histogram: evaluate(measure.bucket, VIEW)
        for measure in MEASURES
        if isinstance(measure, Distribution)
    }

    assert buckets == {
        "sessions_per_minute": 5,
        "bytes_sent_hist": 7,
        "bytes_recv_hist": 9,
        "duration_hist": 13 * 64 + 122,  # 1000000 us = 122 * 2^13 + rest
    }


def test_most_sessions_of_a_minute_and_percentiles_are_made_from_histograms() -> None:
    stored = {
        "sessions_per_minute": ((5, 2), (6, 3)),
        "duration_hist": ((13 * 64 + 122, 1),),
        "bytes_sent_hist": ((3, 1),),
    }
    chosen = [
        named(name)
        for name in ("max_sessions_per_minute", "duration_quantiles", "bytes_sent_quantiles")
    ]

    row = derive_row(stored, [], chosen)

    assert row["max_sessions_per_minute"] == 3
    assert row["duration_p50"] == pytest.approx(1.0, rel=0.01)
    assert (row["bytes_sent_p50"], type(row["bytes_sent_p50"])) == (3, int)


def pair(peer: str, port: int | None, sessions: int, sent: int) -> dict[str, Any]:
    return {"peer_ip": peer, "peer_port": port, "sessions_cnt": sessions, "bytes_sent_sum": sent}


def derived(*pairs: dict[str, Any]) -> dict[str, Any]:
    return derive_row({}, pairs, [one for one in MEASURES if isinstance(one, PairDerived)])


def test_peers_and_ports_are_counted_weighed_and_measured_by_their_entropy() -> None:
    row = derived(pair("a", 443, 2, 10), pair("b", 22, 1, 70), pair("b", None, 1, 20))

    assert row == {
        "peer_ip_nunique": 2,
        "peer_port_nunique": 2,
        "peer_ip_entropy": 1.0,  # two and two of four
        "peer_port_entropy": pytest.approx(math.log2(3) - 2 / 3, abs=1e-5),  # two and one of three
        "peer_ip_top1_sessions_share": 0.5,
        "peer_port_top1_sessions_share": 2 / 3,
        "peer_ip_top1_bytes_share": 0.9,
        "peer_port_top1_bytes_share": 0.875,
    }


def test_of_one_peer_the_entropy_is_zero_and_every_share_is_whole() -> None:
    for sessions in range(1, 20):
        row = derived(pair("a", 443, sessions, 1))

        assert row["peer_ip_entropy"] == 0.0
        assert row["peer_ip_top1_sessions_share"] == row["peer_ip_top1_bytes_share"] == 1.0


def test_without_any_known_port_there_is_no_entropy_and_no_share_of_ports() -> None:
    row = derived(pair("a", None, 3, 10))

    assert row["peer_port_nunique"] == 0
    assert row["peer_port_entropy"] is None
    assert row["peer_port_top1_sessions_share"] is None
    assert row["peer_port_top1_bytes_share"] is None


def test_where_nothing_was_sent_there_is_no_share_of_bytes() -> None:
    row = derived(pair("a", 443, 3, 0))

    assert row["peer_ip_top1_bytes_share"] is None
    assert row["peer_ip_top1_sessions_share"] == 1.0


def test_entropy_is_never_negative_though_its_terms_are_rounded() -> None:
    row = derived(pair("a", 1, 1, 0), pair("b", 2, 30_639_931_266_591_952, 0))

    assert row["peer_ip_entropy"] == 0.0, "its terms alone give -7e-15"


def test_counts_of_distinct_cells_are_whole_numbers_and_the_rest_floats() -> None:
    types = {measure.name: measure.type for measure in MEASURES if isinstance(measure, PairDerived)}

    whole = {name for name, column_type in types.items() if column_type is ColumnType.INT64}
    assert whole == {"peer_ip_nunique", "peer_port_nunique"}
    assert set(types.values()) == {ColumnType.INT64, ColumnType.FLOAT64}


def names(measures: tuple[Measure, ...]) -> list[str]:
    return [measure.name for measure in measures]


def test_without_a_choice_all_measures_are_built() -> None:
    assert select_measures(MEASURES, None) == MEASURES


def test_chosen_measures_come_in_the_order_of_the_catalogue_with_the_sessions() -> None:
    chosen = select_measures(MEASURES, ["peer_ip_entropy", "allow_cnt"])

    assert names(chosen) == ["sessions_cnt", "allow_cnt", "peer_ip_entropy"]


def test_a_chosen_formula_brings_what_it_needs() -> None:
    chosen = select_measures(MEASURES, ["duration_sum"])

    assert names(chosen) == ["sessions_cnt", "duration_us_sum", "duration_sum"]


def test_an_empty_choice_leaves_the_sessions() -> None:
    assert names(select_measures(MEASURES, [])) == ["sessions_cnt"]


def test_known_measures_are_no_problem() -> None:
    assert unknown_measures(MEASURES, ["allow_cnt", "web_sessions_cnt"]) == []


def test_an_unknown_measure_is_named_with_the_nearest_one() -> None:
    assert unknown_measures(MEASURES, ["allow_cnt", "alow_cnt"]) == [
        Problem("delta.measures", "unknown measure 'alow_cnt', did you mean 'allow_cnt'?")
    ]


def test_an_unknown_count_of_a_port_set_is_named_with_the_port_sets_that_there_are() -> None:
    measures = measures_for(
        port_sets={name: frozenset({1}) for name in "hgfedcba"},
        short_session_seconds=1.0,
        knows_reply=True,
    )

    (problem,) = unknown_measures(measures, ["games_sessions_cnt"])

    assert problem.message == (
        "unknown measure 'games_sessions_cnt', no port set 'games' in enrichment.port_sets; "
        "port sets: a, b, c, d, e, f, g, h"
    )


def _expressions(measure: Measure) -> list[Expr]:
    match measure:
        case Additive():
            return [measure.contribution]
        case Distribution():
            return [measure.bucket]
    return []


def test_no_measure_reads_an_address_as_engines_may_have_numbers_in_their_place() -> None:
    view = {name: value for name, value in VIEW.items() if not name.endswith("_ip")}

    for measure in MEASURES:
        for expression in _expressions(measure):
            evaluate(expression, view)


@pytest.mark.parametrize("name", ["bytes_sent", "bytes_recv", "duration_us", "minute"])
def test_buckets_lie_below_2_to_the_31_whatever_a_record_holds(name: str) -> None:
    largest = TIME_LIMIT_US // MINUTE_US if name == "minute" else INT64_MAX

    for distribution in (one for one in MEASURES if isinstance(one, Distribution)):
        for value in (0, largest):
            assert 0 <= evaluate(distribution.bucket, VIEW | {name: value}) < 1 << 31


def test_the_measures_of_a_table_are_found_by_its_columns() -> None:
    columns = [column.name for measure in MEASURES for column in measure.columns()]

    found = measures_in(["host_ip", *columns, "role"])

    assert [measure.columns()[0].name for measure in found] == [
        measure.columns()[0].name for measure in MEASURES
    ]
    assert {"web_sessions_cnt", "dns_sessions_cnt"} <= {measure.name for measure in found}


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ([], []),
        (["sessions_cnt", "odd"], ["sessions_cnt"]),
        (["x_sessions_cnt", "sessions_cnt"], ["sessions_cnt", "x_sessions_cnt"]),
        (["duration_sum"], []),
        (["duration_sum", "duration_us_sum"], ["duration_us_sum", "duration_sum"]),
        (["bytes_sent_p50"], []),
        (["bytes_sent_hist"], ["bytes_sent_quantiles"]),
        (["peer_ip_entropy"], ["peer_ip_entropy"]),
    ],
)
def test_a_measure_is_there_where_what_it_is_made_of_is(
    columns: list[str], names: list[str]
) -> None:
    assert [measure.name for measure in measures_in(columns)] == names


def test_a_counter_of_a_job_spec_is_known_where_its_name_is_given() -> None:
    columns = ["sessions_cnt", "b_cnt", "a_cnt", "web_sessions_cnt"]

    found = measures_in(columns, ["a_cnt", "c_cnt"])

    assert [measure.name for measure in found] == ["sessions_cnt", "web_sessions_cnt", "a_cnt"]
    (column,) = found[-1].columns()
    assert (column.type, column.merge) == (ColumnType.INT64, Merge.SUM)


@pytest.mark.parametrize("name", ["allow_cnt", "web_sessions_cnt"])
def test_a_counter_that_has_the_name_of_another_measure_is_there_once(name: str) -> None:
    assert [measure.name for measure in measures_in([name], [name])] == [name]


def test_counters_come_behind_port_sets_in_the_order_of_their_names() -> None:
    counters = {name: Counter(peer_port=frozenset({53})) for name in ("b_cnt", "a_cnt")}

    measures = names(
        measures_for(
            port_sets=PORT_SETS, short_session_seconds=1.0, knows_reply=True, counters=counters
        )
    )

    place = measures.index("web_sessions_cnt")
    assert measures[place + 1 : place + 3] == ["a_cnt", "b_cnt"]
    assert [name for name in measures if name not in counters] == names(MEASURES)

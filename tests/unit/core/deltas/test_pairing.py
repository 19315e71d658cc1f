"""One-way records become flows: what belongs together, and which end began."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.deltas.pair_up import pair_up
from ndr_core.deltas.pairing import FROM_LOWER, LOWER_BEGAN, FlowPairs
from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import columns_of
from ndr_core.flows.moment import MOMENT, Moment
from ndr_core.int64 import INT64_MAX
from ndr_core.quality.repairs import MARKS, MISSING_END, mark_column
from ndr_core.tables.slices import slice_start
from ndr_core.times import MINUTE_US, SECOND_US

CLIENT, SERVER = "10.0.0.5", "203.0.113.5"
SYN, SYN_ACK = 2, 18
PORT_SETS = frozenset({8443, 3306})


def record(
    source: str,
    source_port: int | None,
    destination: str,
    port: int | None,
    start: int = 10 * SECOND_US,
    **other: Any,
) -> dict[str, Any]:
    end = start + SECOND_US
    return {
        "source_ip": source,
        "source_port": source_port,
        "destination_ip": destination,
        "destination_port": port,
        "source_bytes": 100,
        "destination_bytes": None,
        "source_packets": 2,
        "destination_packets": None,
        "tcp_flags": None,
        "event_start": start,
        "event_end": end,
        **{mark_column(name): False for name in MARKS},
        MOMENT: end,
        "event_action": "allow",
        "event_reason": None,
        "event_name": "TRAFFIC",
        "network_transport": "TCP",
    } | other


def request(start: int = 10 * SECOND_US, **other: Any) -> dict[str, Any]:
    return record(CLIENT, 50000, SERVER, 443, start) | other


def reply(start: int = 10 * SECOND_US, **other: Any) -> dict[str, Any]:
    return record(SERVER, 443, CLIENT, 50000, start) | other


def pairs(moment: Moment = Moment.EVENT_END) -> FlowPairs:
    return FlowPairs(slice_start(15), moment, PORT_SETS)


def flow(*records: dict[str, Any], moment: Moment = Moment.EVENT_END) -> dict[str, Any]:
    (found,), _ = pair_up(records, pairs(moment))
    return found


def began(*records: dict[str, Any]) -> tuple[str, int | None]:
    found = flow(*records)
    return found["source_ip"], found["source_port"]


def test_a_request_and_its_reply_are_one_flow_with_the_amounts_of_each_direction() -> None:
    found = flow(
        request(source_bytes=512, source_packets=5), reply(source_bytes=9000, source_packets=7)
    )

    assert (found["source_ip"], found["destination_ip"]) == (CLIENT, SERVER)
    assert (found["source_port"], found["destination_port"]) == (50000, 443)
    assert (found["source_bytes"], found["destination_bytes"]) == (512, 9000)
    assert (found["source_packets"], found["destination_packets"]) == (5, 7)


def test_what_several_records_tell_of_one_direction_adds_up() -> None:
    found = flow(request(source_bytes=1), request(source_bytes=None), request(source_bytes=2))

    assert (found["source_bytes"], found["destination_bytes"]) == (3, 0)


def test_an_end_with_records_that_know_no_amount_sent_an_unknown_one() -> None:
    found = flow(request(source_bytes=None), reply(source_packets=None))

    assert (found["source_bytes"], found["destination_bytes"]) == (None, 100)
    assert (found["source_packets"], found["destination_packets"]) == (2, None)


def test_what_a_record_tells_of_the_other_direction_counts_for_the_other_end() -> None:
    found = flow(request(destination_bytes=7), reply(source_bytes=1))

    assert (found["source_bytes"], found["destination_bytes"]) == (100, 8)


def test_the_sum_of_amounts_may_leave_int64_and_is_exact() -> None:
    records = [request(source_bytes=INT64_MAX) for _ in range(3)]

    assert flow(*records)["source_bytes"] == 3 * INT64_MAX


def test_what_is_read_of_a_record_says_nothing_of_what_is_found_on_the_way() -> None:
    read = {name for value in pairs().values for name in columns_of(value)}

    assert {"source_ip", "tcp_flags", "destination_packets", MOMENT} <= read
    assert FROM_LOWER not in read


@pytest.mark.parametrize(("more", "leaves"), [(0, False), (1, True)])
def test_an_amount_that_leaves_int64_is_told_by_the_side_that_it_is_of(
    more: int, leaves: bool
) -> None:
    high, low = divmod(INT64_MAX, 1 << 32)
    found = dict.fromkeys((one.name for one in pairs().gathered), 0) | {
        LOWER_BEGAN: True,
        "higher_bytes_high": high,
        "higher_bytes_low": low + more,
    }

    told = {name for name, value in pairs().overflows.items() if evaluate(value, found)}

    assert told == ({"destination_bytes"} if leaves else set())


def test_a_flow_starts_with_its_first_record_and_ends_with_the_last() -> None:
    found = flow(
        request(start=5, event_end=50), reply(start=4, event_end=40), request(start=6, event_end=60)
    )

    assert (found["event_start"], found["event_end"]) == (4, 60)
    assert found[mark_column(MISSING_END)] is False


def test_the_end_of_a_flow_is_known_where_those_of_all_its_records_are() -> None:
    unknown = mark_column(MISSING_END)

    assert flow(request(), reply(**{unknown: True}))[unknown] is True


@pytest.mark.parametrize(("moment", "found"), [(Moment.EVENT_END, 60), (Moment.EVENT_START, 40)])
def test_the_moment_of_a_flow_is_the_last_of_its_records_or_the_first_with_event_start(
    moment: Moment, found: int
) -> None:
    records = [request(**{MOMENT: 40}), reply(**{MOMENT: 60})]

    assert flow(*records, moment=moment)[MOMENT] == found


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        ((None, None), None),
        (("odd", None), None),
        (("drop", "deny"), "deny"),
        (("drop", None), "deny"),
        (("drop", "allow"), "allow"),
        (("alert", "drop"), "allow"),
        (("accept", None), "allow"),
    ],
)
def test_a_flow_is_denied_where_all_known_actions_are(
    actions: tuple[str | None, str | None], found: str | None
) -> None:
    records = [request(event_action=actions[0]), reply(event_action=actions[1])]

    assert flow(*records)["event_action"] == found


def test_the_reason_of_a_flow_is_the_least_that_is_known() -> None:
    records = [request(event_reason="tcp-fin"), reply(event_reason="aged-out"), request()]

    assert flow(*records)["event_reason"] == "aged-out"


@pytest.mark.parametrize(
    "other",
    [
        {"network_transport": "UDP"},
        {"event_name": "THREAT"},
        {MOMENT: 15 * MINUTE_US},
        {"source_port": 50001},
        {"destination_port": None},
        {"destination_ip": "203.0.113.6"},
    ],
    ids=str,
)
def test_records_of_other_ends_transport_name_or_slice_are_another_flow(
    other: dict[str, Any],
) -> None:
    flows, unpaired = pair_up([request(), request(**other)], pairs())

    assert (len(flows), unpaired) == (2, 2)


def test_flows_with_records_of_one_end_only_are_counted() -> None:
    records = [request(), reply(), request(source_port=1), record(CLIENT, 1, CLIENT, 1)]

    flows, unpaired = pair_up(records, pairs())

    assert (len(flows), unpaired) == (3, 2)


def test_the_end_that_alone_sent_syn_without_ack_began() -> None:
    odd_client = record(CLIENT, 443, SERVER, 50000, tcp_flags=SYN)
    odd_server = record(SERVER, 50000, CLIENT, 443, tcp_flags=SYN_ACK)

    assert began(odd_server, odd_client) == (CLIENT, 443)
    assert began(odd_client | {"tcp_flags": SYN_ACK}, odd_server | {"tcp_flags": SYN}) == (
        SERVER,
        50000,
    )


def test_syn_of_both_ends_tells_nothing() -> None:
    assert began(reply(tcp_flags=SYN, start=1), request(tcp_flags=SYN)) == (CLIENT, 50000)


def test_the_end_whose_port_alone_is_below_1024_did_not_begin() -> None:
    assert began(reply(start=9 * SECOND_US), request(start=10 * SECOND_US)) == (CLIENT, 50000)
    assert began(record(SERVER, 1023, CLIENT, 1024)) == (CLIENT, 1024)


@pytest.mark.parametrize("port", [None, 22])
def test_ports_below_1024_of_both_ends_or_of_an_unknown_one_tell_as_far_as_they_are_known(
    port: int | None,
) -> None:
    records = [
        record(CLIENT, port, SERVER, 443, start=5),
        record(SERVER, 443, CLIENT, port, start=4),
    ]

    assert began(*records) == ((SERVER, 443) if port else (CLIENT, None))


def test_the_end_whose_port_alone_is_in_a_port_set_did_not_begin() -> None:
    assert began(record(SERVER, 8443, CLIENT, 50000)) == (CLIENT, 50000)


def test_ports_of_sets_on_both_ends_leave_it_to_the_first_record() -> None:
    records = [
        record(CLIENT, 3306, SERVER, 8443, start=5),
        record(SERVER, 8443, CLIENT, 3306, start=4),
    ]

    assert began(*records) == (SERVER, 8443)
    assert began(records[0]) == (CLIENT, 3306)
    assert began(records[1]) == (SERVER, 8443)


def test_of_records_of_one_time_the_end_with_the_greater_port_began() -> None:
    records = [record(CLIENT, 5000, SERVER, 6000), record(SERVER, 6000, CLIENT, 5000)]

    assert began(*records) == (SERVER, 6000)
    assert began(record(CLIENT, 6000, SERVER, 5000), record(SERVER, 5000, CLIENT, 6000)) == (
        CLIENT,
        6000,
    )


def test_of_equal_ports_too_the_end_with_the_lesser_address_text_began() -> None:
    records = [record(SERVER, 5000, CLIENT, 5000), record(CLIENT, 5000, SERVER, 5000)]

    assert began(*records) == (CLIENT, 5000)


def test_of_records_from_an_end_to_itself_all_is_sent_by_who_began() -> None:
    found = flow(record(CLIENT, 7, CLIENT, 7), record(CLIENT, 7, CLIENT, 7))

    assert (found["source_bytes"], found["destination_bytes"]) == (200, 0)

"""Each preset reads its source's true format, and is consistent in itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.json_line import LineReader
from ndr_core.flows.mapping import Preset
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.presets.vpcflow import VPCFLOW
from ndr_core.flows.presets.zeek import ZEEK
from ndr_core.flows.record import FLOW_FIELDS, FlowRecord
from ndr_core.flows.record_reader import ReadFlow
from ndr_core.flows.time_format import TimeFormat
from ndr_core.quality.rules import reject_rules
from ndr_core.times import parse_bound

FIXTURES = Path(__file__).parents[4] / "fixtures"
FILES = {"paloalto": "paloalto.json", "zeek": "zeek-conn.json", "vpcflow": "vpcflow.json"}
OF_FEW_SOURCES = {
    "source_packets",
    "destination_packets",
    "source_ip_bytes",
    "destination_ip_bytes",
    "missed_bytes",
    "tcp_flags",
}
MIDNIGHT = parse_bound("2024-04-19T00:00:00Z", "midnight")
CONN_STATES = [
    "S0",
    "S1",
    "SF",
    "REJ",
    "S2",
    "S3",
    "RSTO",
    "RSTR",
    "RSTOS0",
    "RSTRH",
    "SH",
    "SHR",
    "OTH",
]


def read(preset: str) -> list[FlowRecord]:
    reader = LineReader(PRESETS[preset].mapping)
    flows = []
    for line in (FIXTURES / FILES[preset]).read_bytes().splitlines():
        found = reader.read(line)
        assert isinstance(found, ReadFlow)
        flows.append(found.flow)
    return flows


def test_palo_alto_records_have_the_canonical_names() -> None:
    first, second = read("paloalto")

    assert first == FlowRecord(
        source_ip="10.1.2.3",
        destination_ip="198.51.100.20",
        event_start=MIDNIGHT,
        event_end=MIDNIGHT + 12_000_000,
        source_port=50123,
        destination_port=443,
        source_bytes=1830,
        destination_bytes=52211,
        event_action="allow",
        event_reason="tcp-fin",
        event_name="TRAFFIC",
        network_transport="TCP",
    )
    assert (second.event_start, second.event_action) == (MIDNIGHT + 1_000_000, "reset-both")


def test_zeek_records_have_dotted_names_durations_and_connection_states() -> None:
    ended, unanswered, rejected, dns = read("zeek")

    assert ended == FlowRecord(
        source_ip="192.168.1.10",
        destination_ip="93.184.216.34",
        event_start=MIDNIGHT + 123_456,
        event_end=MIDNIGHT + 1_623_456,
        source_port=51234,
        destination_port=443,
        source_bytes=517,
        destination_bytes=4096,
        event_action="allow",
        event_reason="tcp-fin",
        event_name="TRAFFIC",
        network_transport="TCP",
    )
    assert (unanswered.event_action, unanswered.event_reason) == ("drop", "aged-out")
    assert (unanswered.event_end, unanswered.source_bytes) == (None, None)
    assert (rejected.event_action, rejected.event_reason) == ("deny", "tcp-rst-from-server")
    assert rejected.event_end == MIDNIGHT + 2_500_123
    assert dns.destination_ip == "2001:db8::53"


def test_every_zeek_connection_state_has_an_action_and_a_reason() -> None:
    for field in ("event_action", "event_reason"):
        found = ZEEK.mapping.fields[field].map
        assert found is not None
        assert sorted(row.values[0] for row in found.rows) == sorted(CONN_STATES)


def test_vpc_flow_logs_may_spell_numbers_as_text_and_nothing_as_a_dash() -> None:
    ssh, rejected, no_data, ping = read("vpcflow")

    assert ssh == FlowRecord(
        source_ip="172.31.16.139",
        destination_ip="172.31.16.21",
        event_start=MIDNIGHT,
        event_end=MIDNIGHT + 60_000_000,
        source_port=20641,
        destination_port=22,
        source_bytes=4249,
        event_action="allow",
        event_name="TRAFFIC",
        network_transport="TCP",
    )
    assert (rejected.event_action, rejected.network_transport) == ("deny", "UDP")
    assert (rejected.source_bytes, rejected.destination_port) == (4249, 3389)
    assert (no_data.source_ip, no_data.source_bytes, no_data.source_port) == (None, None, None)
    assert (ping.network_transport, ping.destination_ip) == ("ICMP", "2001:db8:1234:a102::5")


def test_a_vpc_record_of_no_data_is_no_traffic() -> None:
    flows = read("vpcflow")
    (non_traffic,) = (
        rule.condition
        for rule in reject_rules(None, deduplicates=False)
        if rule.name == "non_traffic"
    )
    assert non_traffic is not None

    found = [evaluate(non_traffic, row_of(record)) for record in flows]

    assert found == [False, False, True, False]


def row_of(record: FlowRecord) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in FLOW_FIELDS}


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_is_a_mapping_without_problems_that_names_itself(preset: str) -> None:
    mapping = PRESETS[preset].mapping

    assert mapping.problems() == []
    assert mapping.preset == preset
    assert PRESETS[preset].about.endswith(".")


def test_every_field_has_a_source_but_those_that_the_source_lacks() -> None:
    every = {field.name for field in FLOW_FIELDS} - OF_FEW_SOURCES

    missing = {name: every - set(preset.mapping.fields) for name, preset in PRESETS.items()}

    assert missing == {
        "paloalto": set(),
        "zeek": set(),
        "vpcflow": {"destination_bytes", "event_reason"},
    }


def test_only_what_zeek_leaves_out_of_unfinished_connections_is_optional() -> None:
    optional = {
        (name, field)
        for name, preset in PRESETS.items()
        for field, source in preset.mapping.fields.items()
        if source.optional
    }

    assert optional == {
        ("zeek", "source_bytes"),
        ("zeek", "destination_bytes"),
        ("zeek", "event_end"),
    }


def test_times_are_read_in_the_format_of_their_source() -> None:
    formats = {
        name: [preset.mapping.fields[field].format[0] for field in ("event_start", "event_end")]
        for name, preset in PRESETS.items()
    }

    assert formats == {
        "paloalto": [TimeFormat.ISO8601, TimeFormat.ISO8601],
        "zeek": [TimeFormat.EPOCH_S, TimeFormat.DURATION_S],
        "vpcflow": [TimeFormat.EPOCH_S, TimeFormat.EPOCH_S],
    }


def mapped(preset: Preset, field: str, value: str) -> str | None:
    found = preset.mapping.fields[field].map
    assert found is not None
    return found.lookup([value])


@pytest.mark.parametrize(
    ("state", "action", "reason"),
    [
        ("S0", "drop", "aged-out"),
        ("REJ", "deny", "tcp-rst-from-server"),
        ("S1", "allow", "aged-out"),
        ("SF", "allow", "tcp-fin"),
        ("S2", "allow", "aged-out"),
        ("S3", "allow", "aged-out"),
        ("RSTO", "allow", "tcp-rst-from-client"),
        ("RSTR", "allow", "tcp-rst-from-server"),
        ("RSTOS0", "drop", "tcp-rst-from-client"),
        ("RSTRH", "deny", "tcp-rst-from-server"),
        ("SH", "drop", "aged-out"),
        ("SHR", "allow", "aged-out"),
        ("OTH", "allow", "aged-out"),
    ],
)
def test_what_a_zeek_connection_state_means(state: str, action: str, reason: str) -> None:
    assert mapped(ZEEK, "event_action", state) == action
    assert mapped(ZEEK, "event_reason", state) == reason


@pytest.mark.parametrize(
    ("number", "transport"), [("1", "ICMP"), ("6", "TCP"), ("17", "UDP"), ("58", "ICMP")]
)
def test_what_a_protocol_number_of_a_vpc_record_means(number: str, transport: str) -> None:
    assert mapped(VPCFLOW, "network_transport", number) == transport


@pytest.mark.parametrize(("number", "transport"), [(47, "GRE"), (200, "200")])
def test_another_protocol_number_has_the_name_of_iana_or_stays_as_it_is(
    number: int, transport: str
) -> None:
    reader = LineReader(VPCFLOW.mapping)

    found = reader.read(f'{{"protocol":{number},"srcaddr":"-"}}')

    assert isinstance(found, ReadFlow)
    assert (found.flow.network_transport, found.flow.source_ip) == (transport, None)


def test_every_column_of_palo_alto_is_named_as_its_field() -> None:
    names = {name: source.column for name, source in PALOALTO.mapping.fields.items()}

    every = [field.name for field in FLOW_FIELDS if field.name not in OF_FEW_SOURCES]
    assert names == {name: name for name in every}

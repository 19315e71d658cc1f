"""Each preset reads its source's true format."""

from __future__ import annotations

from pathlib import Path

import pytest

from ndr_core.flows.json_line import LineReader, ReadFlow
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.presets.zeek import ZEEK
from ndr_core.flows.record import FlowRecord
from tests.makers import differences, make_plan, make_spec, us, write_batch
from tests.support import ENGINES, run_engine, run_reference

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = {"paloalto": "paloalto.json", "zeek": "zeek-conn.json", "vpcflow": "vpcflow.json"}
MIDNIGHT = us("2024-04-19T00:00:00Z")
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
    reader = LineReader(PRESETS[preset])
    found = [reader.read(line) for line in (FIXTURES / FILES[preset]).read_bytes().splitlines()]
    assert all(isinstance(item, ReadFlow) for item in found)
    return [item.flow for item in found if isinstance(item, ReadFlow)]


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
        assert sorted(ZEEK.fields[field].map) == sorted(CONN_STATES)


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


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("engine", list(ENGINES))
def test_engines_agree_on_the_true_format(preset: str, engine: str, tmp_path: Path) -> None:
    plan = make_plan(make_spec(preset))
    batch = write_batch(tmp_path / "in", [(FIXTURES / FILES[preset]).read_bytes().splitlines()])
    expected = run_reference(plan, batch)
    actual = run_engine(ENGINES[engine](), plan, batch, tmp_path / "out")
    assert differences(expected, actual) == []
    assert expected.report.kept >= 2


def test_a_vpc_record_of_no_data_is_no_traffic() -> None:
    plan = make_plan(make_spec("vpcflow"))
    from ndr_core.deltas.reference import build_tables

    report = build_tables((FIXTURES / FILES["vpcflow"]).read_bytes().splitlines(), plan).report
    assert report.rejected["non_traffic"] == 1

"""The first bytes of logs tell which known source wrote them, in which form, or at least which columns they have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ndr_core.flows.log_sample import Sample, row_sample, samples_of
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.recognition import Known, Recognised, recognise, recognise_files

FIXTURES = Path(__file__).parents[3] / "fixtures"


def known(head: bytes) -> Known | None:
    return recognise(samples_of(head), PRESETS)


def test_what_was_found_is_said_in_words() -> None:
    zeek, dns = ((FIXTURES / f"zeek/{name}.log").read_bytes() for name in ("conn", "dns"))
    heads = {"in/conn.log": samples_of(zeek), "in/dns.log": samples_of(dns)}

    found = recognise_files(heads, PRESETS)
    odd = recognise_files({"in/x": samples_of(b'{"a": 1, "b": 2}')}, PRESETS)
    nothing = recognise_files({"in/x": samples_of(b"")}, PRESETS)

    told, left_out = found.lines()
    assert told.startswith("1 file of Zeek ")
    assert told.endswith("(preset zeek, form tsv)")
    assert left_out == "1 file left out by their names, such as in/dns.log"
    assert (
        recognise_files({"a": samples_of(zeek), "b": samples_of(zeek)}, PRESETS)
        .lines()[0]
        .startswith("2 files of Zeek ")
    )
    assert odd.lines() == [
        "no known source; 2 columns were seen: choose among them under input.fields"
    ]
    assert nothing.lines()[0].startswith("no known source; 0 columns")


@pytest.mark.parametrize(
    ("file", "preset", "form"),
    [
        ("zeek/conn.log", "zeek", "tsv"),
        ("zeek/conn.json", "zeek", "json"),
        ("zeek/conn.iso.json", "zeek", "json"),
        ("zeek/conn.nested.json", "zeek", "json"),
        ("vpcflow/default.log", "vpcflow", "text"),
        ("vpcflow/custom.log", "vpcflow", "text"),
        ("vpcflow/flow.json", "vpcflow", "json"),
        ("vpcflow/athena.json", "vpcflow", "athena"),
        ("paloalto/canonical.json", "paloalto", "canonical"),
        ("paloalto/panos.json", "paloalto", "panos"),
        ("paloalto/strata.json", "paloalto", "strata"),
        ("fortigate/traffic.json", "fortigate", "json"),
        ("ocsf/firewall.json", "ocsf", "json"),
        ("ocsf/security_lake.json", "ocsf", "flow_logs"),
        ("suricata/eve.json", "suricata", "json"),
        ("netflow/goflow2.json", "netflow", "goflow2"),
        ("netflow/nfdump.json", "netflow", "nfdump"),
        ("netflow/nfdump.csv", "netflow", "csv"),
        ("netflow/nfdump16.csv", "netflow", "csv16"),
        ("gcp_vpc/entries.json", "gcp_vpc", "json"),
    ],
)
def test_a_known_source_is_told_by_its_first_lines(file: str, preset: str, form: str) -> None:
    found = known((FIXTURES / file).read_bytes())

    assert found is not None
    assert (found.preset, found.form.name) == (preset, form)


@pytest.mark.parametrize("file", ["zeek/dns.log", "zeek/http.json", "zeek/weird.log"])
def test_other_logs_of_zeek_are_no_connections(file: str) -> None:
    assert known((FIXTURES / file).read_bytes()) is None


def test_every_form_of_every_preset_can_be_told() -> None:
    fixtures = [path.read_bytes() for path in FIXTURES.glob("*/*") if path.is_file()]
    told = {(one.preset, one.form.name) for head in fixtures if (one := known(head)) is not None}
    ends = {"class_uid": 4001, "src_endpoint": {"ip": "192.0.2.1"}, "dst_endpoint": {"ip": "::"}}
    flow = {"srcaddr": "192.0.2.1", "dstaddr": "192.0.2.2", "start": 0, "log_status": "OK"}
    rows = [{**ends, "traffic": {name: 1}} for name in ("bytes_in", "bytes")]
    read = [row_sample([row]) for row in (ends, *rows, flow)]
    for sample in (*read, *samples_of(json.dumps(ends).encode())):
        one = recognise([sample], PRESETS)
        assert one is not None
        told.add((one.preset, one.form.name))

    every = {(name, form.name) for name, preset in PRESETS.items() for form in preset.forms}

    assert told == every


def test_a_line_that_is_cut_off_is_left_out() -> None:
    line = (FIXTURES / "suricata/eve.json").read_bytes().splitlines()[0]

    found = known(line + b"\n" + line[:200])

    assert found is not None
    assert found.preset == "suricata"


def test_a_form_needs_one_place_of_each_of_its_marks() -> None:
    assert known(b'{"src4_addr": "192.0.2.1", "first": "x"}') is not None
    assert known(b'{"src6_addr": "::", "t_first": "x"}') is not None
    assert known(b'{"src4_addr": "192.0.2.1", "dst4_addr": "192.0.2.2"}') is None


def samples(*files: str) -> dict[str, list[Sample]]:
    """Name of a file -> its samples."""
    return {file.rpartition("/")[2]: samples_of((FIXTURES / file).read_bytes()) for file in files}


def test_in_a_folder_of_many_logs_those_of_the_known_source_are_found_by_their_names() -> None:
    found = recognise_files(
        samples("zeek/dns.log", "zeek/conn.log", "zeek/http.log", "zeek/weird.log"), PRESETS
    )

    assert found.known is not None
    assert (found.known.preset, found.known.form.name) == ("zeek", "tsv")
    assert (found.files, found.others) == (("conn.log",), ("dns.log", "http.log", "weird.log"))
    assert found.patterns == ("conn.*", "conn-[0-9]*", "conn_[0-9]*")


def test_where_all_files_are_of_the_source_none_is_chosen_by_its_name() -> None:
    assert recognise_files(samples("zeek/conn.log"), PRESETS).patterns == ()


def patterns_of(**logs: str) -> tuple[str, ...]:
    """The patterns of a folder: name of a log -> the names of its files, `conn` being the one that is known."""
    contents = samples("zeek/conn.log", "zeek/dns.log") | {"text": []}
    files = {
        name: contents.get(f"{log}.log", [])
        for log, names in logs.items()
        for name in names.split()
    }
    return recognise_files(files, PRESETS).patterns


def test_names_choose_nothing_where_the_files_have_others_than_the_usual_ones() -> None:
    assert patterns_of(conn="current", dns="dns.log") == ()


@pytest.mark.parametrize(
    ("conn", "dns", "text"),
    [
        ("conn.log", "", "conn-summary.log"),
        ("conn.10:00:00-11:00:00.log.gz", "dns.log", "conn-summary.10:00:00-11:00:00.log.gz"),
        ("conn-000000.json.gz conn-010000.json.gz", "dns-000000.json.gz", ""),
        ("conn_20240419.log conn.log", "conn-dns.log", "stderr.log"),
    ],
)
def test_no_summary_and_no_other_log_is_chosen_with_the_connections(
    conn: str, dns: str, text: str
) -> None:
    assert patterns_of(conn=conn, dns=dns, text=text) == ("conn.*", "conn-[0-9]*", "conn_[0-9]*")


def test_a_pattern_that_takes_another_log_is_left_out() -> None:
    assert patterns_of(conn="conn.log", dns="conn-1-dns.log") == ("conn.*", "conn_[0-9]*")


def test_patterns_that_leave_some_of_the_other_logs_out_are_better_than_none() -> None:
    assert "conn.*" in patterns_of(conn="conn.log", dns="conn.dns.log dns.log")
    assert patterns_of(conn="conn.log", dns="conn.dns.log") == ()


def test_files_with_records_that_others_have_too_are_not_read() -> None:
    twice = patterns_of(conn="conn.log conn_long.log")
    alone = recognise_files({"conn_long.log": samples("zeek/conn.log")["conn.log"]}, PRESETS)

    assert twice == ("conn.*", "conn-[0-9]*", "conn_[0-9]*")
    assert alone.files == ("conn_long.log",)


def test_the_files_of_suricata_are_told_from_its_notes() -> None:
    eve = samples("suricata/eve.json")["eve.json"]

    found = recognise_files({"eve-2024.json": eve, "eve.json.gz": eve, "fast.log": []}, PRESETS)

    assert found.patterns == ("eve*",)
    assert found.lines()[1:] == ["1 file left out by their names, such as fast.log"]


def test_the_form_that_most_files_have_is_chosen() -> None:
    found = recognise_files(
        {
            **samples("vpcflow/flow.json"),
            "a.log": samples_of((FIXTURES / "vpcflow/default.log").read_bytes()),
            "b.log": samples_of((FIXTURES / "vpcflow/custom.log").read_bytes()),
        },
        PRESETS,
    )

    assert found.known is not None
    assert found.known.form.name == "text"
    assert (found.files, found.others) == (("a.log", "b.log"), ("flow.json",))


def test_logs_of_the_source_in_another_form_need_a_job_of_their_own() -> None:
    connections = samples("zeek/conn.log", "zeek/conn.json", "zeek/dns.log")
    files = {
        **dict.fromkeys(("conn.00.log", "conn.01.log"), connections["conn.log"]),
        **dict.fromkeys(("conn.02.log", "conn.03.log"), connections["conn.json"]),
        "eve.json": samples("suricata/eve.json")["eve.json"],
        "dns.log": connections["dns.log"],
    }

    found = recognise_files(files, PRESETS)
    told, *apart, left_out = found.lines()

    assert told.startswith("2 files of Zeek conn.log with tabs")
    assert [line.partition(" (preset")[0] for line in apart] == [
        "2 files of Zeek conn.log as JSON Lines",
        "1 file of Suricata flow events as JSON Lines",
    ]
    assert apart[0].endswith("read with another JobSpec: ndr spec init --from conn.02.log")
    assert left_out == "1 file left out by their names, such as dns.log"


def test_logs_of_no_known_source_have_their_columns() -> None:
    found = recognise_files({"empty.log": [], "my.log": samples_of(b'{"client": "x"}')}, PRESETS)

    assert (found.known, found.files, found.others) == (None, ("my.log",), ("empty.log",))
    assert found.sample is not None
    assert found.sample.leaves == {("client",)}
    assert (found.patterns, found.session_key) == ((), ())


def test_of_files_without_columns_nothing_is_known() -> None:
    assert recognise_files({"empty.log": []}, PRESETS) == Recognised(None, (), ("empty.log",), None)


def test_a_session_that_is_logged_as_it_grows_has_a_key_where_records_have_its_columns() -> None:
    logged = recognise_files(samples("fortigate/traffic.json"), PRESETS)
    without = recognise_files(
        {"x": samples_of(b'{"srcip": "", "dstip": "", "eventtime": 1, "type": "traffic"}')}, PRESETS
    )

    assert logged.session_key == ("devid", "sessionid")
    assert without.session_key == ()


ENDS = {"src_endpoint": {"ip": "192.0.2.1"}, "dst_endpoint": {"ip": "198.51.100.7"}}
LOOK_UP = {"class_uid": 4003, **ENDS}
ONE_WAY = {"class_uid": 4001, **ENDS, "traffic": {"bytes": 1, "bytes_in": None}}
TWO_WAYS = {"class_uid": 4001, **ENDS, "traffic": {"bytes_in": 2, "bytes_out": 1}}


@pytest.mark.parametrize(
    ("records", "form"),
    [
        ([LOOK_UP] * 300 + [TWO_WAYS], "json"),
        ([LOOK_UP, ONE_WAY], "flow_logs"),
        ([{**LOOK_UP, "traffic": {"bytes_in": 1}}, ONE_WAY], "flow_logs"),
        ([LOOK_UP], "json"),
        ([{"class_uid": 4001, **ENDS}], "events"),
    ],
    ids=["two ways", "one way", "others have more", "none is read", "no counts"],
)
def test_only_records_that_are_read_tell_that_they_count_one_direction(
    records: list[dict[str, Any]], form: str
) -> None:
    found = known("\n".join(map(json.dumps, records)).encode())

    assert found is not None
    assert (found.preset, found.form.name) == ("ocsf", form)


VPC_NAMES = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status"
)
VPC_LINE = (
    "2 123456789010 eni-1 10.0.0.5 203.0.113.5 50000 443 6 10 1000 1713520800 1713520860 ACCEPT OK"
)
DELIMITED = {"format": "delimited"}


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ([VPC_LINE] * 2, {"separator": " ", "header": VPC_NAMES.split()}),
        (
            [f"2024-04-19T10:00:00.000Z {VPC_LINE}"],
            {"separator": " ", "header": ["timestamp", *VPC_NAMES.split()]},
        ),
        ([VPC_NAMES, VPC_LINE], {"separator": " ", "header": "first_line"}),
        (
            [one.replace(" ", ",") for one in (VPC_NAMES, VPC_LINE)],
            {"separator": ",", "header": "first_line"},
        ),
        (
            [one.replace(" ", "\t") for one in (VPC_NAMES, VPC_LINE)],
            {"separator": "\t", "header": "first_line"},
        ),
        (
            ["srcaddr dstaddr start end bytes", "10.0.0.5 203.0.113.5 1713520800 1713520860 1"],
            {"separator": " ", "header": "first_line"},
        ),
    ],
    ids=["no header", "CloudWatch", "header", "commas", "tabs", "few columns"],
)
def test_flow_logs_as_text_are_known_by_their_columns_however_they_are_laid_out(
    lines: list[str], settings: dict[str, Any]
) -> None:
    found = known("\n".join(lines).encode())

    assert found is not None
    assert (found.preset, found.form.name) == ("vpcflow", "text")
    assert found.settings == {**DELIMITED, **settings}
    assert ("srcaddr",) in found.sample.leaves


def test_files_that_are_read_in_another_way_are_not_of_the_form_of_the_others() -> None:
    text = "\n".join([VPC_NAMES, VPC_LINE])
    files = {"a": text, "b": text.replace(" ", ","), "c": text}

    found = recognise_files(
        {name: samples_of(one.encode()) for name, one in files.items()}, PRESETS
    )

    assert (found.files, found.others) == (("a", "c"), ("b",))


def test_files_without_records_that_are_read_are_of_the_form_of_the_others() -> None:
    def lines(*records: dict[str, Any]) -> list[Sample]:
        return samples_of("\n".join(map(json.dumps, records)).encode())

    files = {"a": lines(LOOK_UP), "b": lines(LOOK_UP), "c": lines(ONE_WAY)}
    alone = recognise_files({"a": lines(LOOK_UP)}, PRESETS)

    found = recognise_files({**files, **samples("suricata/eve.json")}, PRESETS)

    assert found.known is not None
    assert alone.known is not None
    assert (found.known.form.name, alone.known.form.name) == ("flow_logs", "json")
    assert found.files == ("a", "b", "c")

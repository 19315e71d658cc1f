"""What is kept of a rejected record."""

from __future__ import annotations

import json

import pytest
from attrs import asdict

from ndr_core.errors import NdrError
from ndr_core.names import is_column_name
from ndr_core.quality.quarantine import QUARANTINE, Quarantined


def test_a_rejected_record_is_its_rule_its_field_and_its_text() -> None:
    rejected = Quarantined("malformed_json", "source_port", "{}")

    assert (rejected.rule, rejected.field, rejected.raw) == ("malformed_json", "source_port", "{}")
    assert rejected != Quarantined("malformed_json", None, "{}")


def test_the_quarantine_has_a_folder_like_that_of_a_table() -> None:
    assert QUARANTINE == "quarantine"
    assert is_column_name(QUARANTINE)


def test_the_detail_of_a_rule_is_part_of_its_label() -> None:
    assert Quarantined("malformed_ip", None, "{}").label == "malformed_ip"
    assert Quarantined("out_of_slice", None, "{}", "too_late").label == "out_of_slice: too_late"


def test_a_line_of_a_file_of_rejected_records_is_read_back() -> None:
    item = Quarantined("out_of_slice", "source_ip", '{"a": "é"}', "too_late")
    line = json.dumps(asdict(item)).encode()

    assert Quarantined.from_line(line) == item
    assert item.text == '{"a": "é"}'


def test_what_a_record_has_none_of_may_be_left_out_of_its_line() -> None:
    assert Quarantined.from_line(b'{"raw": "x", "rule": "malformed_ip"}') == Quarantined(
        "malformed_ip", None, "x"
    )


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'"x"', b"{}", b'{"rule": "a"}', b"\xff"])
def test_another_line_is_no_rejected_record(line: bytes) -> None:
    with pytest.raises(NdrError, match="is no file of rejected records"):
        Quarantined.from_line(line)

"""What is kept of a rejected record."""

from __future__ import annotations

from ndr_core.names import is_column_name
from ndr_core.quality.quarantine import QUARANTINE, Quarantined


def test_a_rejected_record_is_its_rule_its_field_and_its_text() -> None:
    rejected = Quarantined("malformed_record", "source_port", "{}")

    assert (rejected.rule, rejected.field, rejected.raw) == (
        "malformed_record",
        "source_port",
        "{}",
    )
    assert rejected != Quarantined("malformed_record", None, "{}")


def test_the_quarantine_has_a_folder_like_that_of_a_table() -> None:
    assert QUARANTINE == "quarantine"
    assert is_column_name(QUARANTINE)


def test_the_detail_of_a_rule_is_part_of_its_label() -> None:
    assert Quarantined("malformed_ip", None, "{}").label == "malformed_ip"
    assert Quarantined("out_of_slice", None, "{}", "too_late").label == "out_of_slice: too_late"

"""Records are compared in fields that they have."""

from __future__ import annotations

from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.quality.duplicates import ALSO_EQUAL, LONGEST


def test_the_longest_record_is_the_one_that_ends_last_and_then_has_most_bytes() -> None:
    assert LONGEST == ("event_end", "source_bytes", "destination_bytes")
    assert FIELD_BY_NAME.keys() >= {ALSO_EQUAL, *LONGEST}

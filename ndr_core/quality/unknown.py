"""Values of kept records that no measure knows: a vendor's new word for a dropped session counts in no `drop_cnt`."""

from __future__ import annotations

from collections.abc import Mapping

from ndr_core.flows.vocabulary import MOST_UNKNOWN


def most_frequent(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Give the most frequent values of each field, with their records; of equals the first in alphabetical order.

    `counts`: of all values, or of some that the most frequent ones are among.
    """
    return {
        name: dict(sorted(values.items(), key=lambda item: (-item[1], item[0]))[:MOST_UNKNOWN])
        for name, values in sorted(counts.items())
        if values
    }

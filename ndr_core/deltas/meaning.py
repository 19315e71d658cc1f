"""What all jobs that feed one output must agree in: else one column would mean different things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ndr_core.deltas.measures import measures_in
from ndr_core.deltas.spec import JobSpec
from ndr_core.measures.kinds import Measure
from ndr_core.tables.slices import SLICE_MINUTES_KEY

_COUNTERS: Final = "delta.counters"

MEANING_VERSION: Final = 4
"""A release that changes what a column means raises it.

2: slices and minutes of bursts go by the moment. 3: actions count by classes; a threat is no session; ICMP has no
ports; bytes that can't be are unknown; no reply and short sessions count only where they are known; of equal records
the longest is kept; an IPv4 address is one text, however it is written. 4: the `event_ts` of a pair has whole seconds.
"""


def meaning_of(spec: JobSpec) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all jobs of an output must agree, with their values as JSON data.

    Equal values mean the same, in whatever order a spec lists them. What a job reads, how it judges quality and where
    it stores may differ.
    """
    plain = spec.to_plain()
    chosen = spec.delta.measures
    return {
        "meaning_version": MEANING_VERSION,
        SLICE_MINUTES_KEY: spec.delta.slice_minutes,
        "delta.moment": spec.delta.moment.value,
        "roles": {role["name"]: role for role in plain["roles"]},
        "delta.measures": None if chosen is None else sorted(set(chosen)),
        "delta.short_session_seconds": spec.delta.short_session_seconds,
        "enrichment.port_sets": plain["enrichment"]["port_sets"],
        _COUNTERS: {name: counter.to_plain() for name, counter in spec.delta.counters.items()},
        "pair.timing": spec.pair.timing,
    }


def measures_of(
    columns: Iterable[str], meanings: Iterable[Mapping[str, Any]]
) -> tuple[Measure, ...]:
    """Give the measures that published delta rows of these columns have, as `measures_in`.

    `meanings`: what `meaning_of` gave for the runs that published them. It names the columns that JobSpecs define.
    """
    return measures_in(columns, {name for known in meanings for name in known.get(_COUNTERS, ())})

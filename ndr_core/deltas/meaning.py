"""What must not differ between the jobs that feed one output: else equal columns would mean different things."""

from __future__ import annotations

from typing import Any, Final

from ndr_core.deltas.spec import JobSpec

MEANING_VERSION: Final = 2
"""Raised by a release that changes what a column means. 2: slices and minutes of bursts are of the moment."""


def meaning_of(spec: JobSpec) -> dict[str, Any]:
    """Give the keys of a JobSpec, with their values as JSON data, in which all jobs of an output agree.

    Not what a job reads, judges or where it stores: sources may differ.
    """
    plain = spec.to_plain()
    chosen = spec.delta.measures
    return {
        "meaning_version": MEANING_VERSION,
        "delta.slice_minutes": spec.delta.slice_minutes,
        "delta.moment": spec.delta.moment.value,
        "roles": plain["roles"],
        "delta.measures": None if chosen is None else sorted(set(chosen)),
        "delta.short_session_seconds": spec.delta.short_session_seconds,
        "enrichment.port_sets": plain["enrichment"]["port_sets"],
    }

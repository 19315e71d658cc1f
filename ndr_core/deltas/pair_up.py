"""One-way records -> flows, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ndr_core.deltas.pairing import (
    FROM_LOWER,
    FROM_LOWER_END,
    LOWER_BEGAN,
    FlowPairs,
    How,
)
from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.record import FLOW_FIELDS

Row = dict[str, Any]
_GATHER: Final[dict[How, Callable[[Iterable[Any]], Any]]] = {"sum": sum, "min": min, "max": max}


def pair_up(records: Sequence[Row], pairs: FlowPairs) -> tuple[list[Row], int]:
    """Make flows of kept and repaired records, with their moment; give them, and how many have records of one end only.

    Amounts may leave int64.
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for record in records:
        row = record | {FROM_LOWER: evaluate(FROM_LOWER_END, record)}
        groups[tuple(evaluate(value, row) for value in pairs.keys.values())].append(row)
    flows = []
    unpaired = 0
    for key, members in groups.items():
        row = dict(zip(pairs.keys, key, strict=True))
        for one in pairs.gathered:
            values = [evaluate(one.value, member) for member in members]
            known = [value for value in values if value is not None]
            row[one.name] = _GATHER[one.how](known) if known else None
        row[LOWER_BEGAN] = evaluate(pairs.lower_began, row)
        nothing = dict.fromkeys(field.name for field in FLOW_FIELDS)
        flows.append(nothing | {name: evaluate(value, row) for name, value in pairs.flow.items()})
        unpaired += evaluate(pairs.unpaired, row)
    return flows, unpaired

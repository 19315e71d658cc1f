"""One-way records -> flows: what belongs together, what is known of each end, and which end began.

The records of a mini-batch with the same two ends (address and port), transport, name and slice are one flow. One of
its two ends is the *lower*: it has the lesser address, then the lesser port, an unknown port first. All here are values
over a settled record, or over what was gathered of the records of one flow: engines compile them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit, substitute, when
from ndr_core.flows.moment import MOMENT, Moment
from ndr_core.flows.vocabulary import Action
from ndr_core.quality.repairs import END_KNOWN, MARKS, MISSING_END, mark_column

How = Literal["sum", "min", "max"]
LOWER: Final = "lower"
HIGHER: Final = "higher"
LOWER_IP: Final = "lower_ip"
HIGHER_IP: Final = "higher_ip"
FROM_LOWER: Final = "from_lower"
"""Column: whether the source of a record is the lower end of its flow."""
LOWER_BEGAN: Final = "lower_began"
"""Column: whether the lower end of a flow is the one that began it."""

_SYN, _ACK = 2, 16
_KNOWN_ACTION: Final = Action.ALLOW.holds | Action.DROP.holds | Action.ALERT.holds
_UNKNOWN_PORT: Final = -1
_FIRST_FREE_PORT: Final = 1024
"""Ports below it are for services."""
_AMOUNTS: Final = ("bytes", "packets")
_HALF: Final = 1 << 32
"""Amounts are summed in halves, of which the sums of 2^31 records stay within int64."""


@frozen
class Gathered:
    """What is gathered of the records of one flow; a null adds nothing. What parts gather is gathered again alike."""

    name: str
    how: How
    value: Expr
    """Over a record, with FROM_LOWER. No sum of it leaves int64."""


@frozen
class FlowPairs:
    """How the records of one run become flows."""

    slice_start: Expr
    """Over the moment of a record."""
    moment: Moment
    service_ports: frozenset[int]
    """The ports of all port sets."""

    @property
    def keys(self) -> Mapping[str, Expr]:
        """Give what all records of a flow have alike, over a record with FROM_LOWER."""
        lower = col(FROM_LOWER)
        return {
            LOWER_IP: when(lower, col("source_ip"), col("destination_ip")),
            HIGHER_IP: when(lower, col("destination_ip"), col("source_ip")),
            "lower_port": when(lower, col("source_port"), col("destination_port")),
            "higher_port": when(lower, col("destination_port"), col("source_port")),
            "network_transport": col("network_transport"),
            "event_name": col("event_name"),
            "pair_slice": self.slice_start,
        }

    @property
    def gathered(self) -> tuple[Gathered, ...]:
        """Give what is gathered of the records of a flow."""
        sides = [one for side in (LOWER, HIGHER) for one in _of_side(side)]
        return (
            *sides,
            Gathered("event_end", "max", col("event_end")),
            Gathered("ends_unknown", "sum", when(END_KNOWN, 0, 1)),
            Gathered(MOMENT, self._moment_how, col(MOMENT)),
            Gathered("known_actions", "sum", when(_KNOWN_ACTION, 1, 0)),
            Gathered("drops", "sum", when(Action.DROP.holds, 1, 0)),
            Gathered("event_reason", "min", col("event_reason")),
        )

    @property
    def values(self) -> list[Expr]:
        """Give all that is read of a settled record."""
        values = [*self.keys.values(), *(one.value for one in self.gathered)]
        return [substitute(value, {FROM_LOWER: FROM_LOWER_END}) for value in values]

    @property
    def _moment_how(self) -> How:
        return "min" if self.moment is Moment.EVENT_START else "max"

    @property
    def lower_began(self) -> Expr:
        """Tell whether the lower end began the flow, over its keys and what was gathered.

        The first of these that tells the ends apart: SYN without ACK; a port below 1024, or of a port set, is that of a
        service; the first record; the greater port is the client's; the lesser address.
        """
        lower, higher = (col(f"{side}_port").or_else(_UNKNOWN_PORT) for side in (LOWER, HIGHER))
        began = lit(True)
        began = _unless_equal(higher < lower, lower.eq(higher), began)
        first, second = col("lower_start"), col("higher_start")
        earlier = second.is_null() | (first < second).or_else(False)
        began = _unless_equal(earlier, first.eq(second), began)
        of_sets = [port.is_in(self.service_ports) for port in (higher, lower)]
        well_known = [(port >= 0) & (port < _FIRST_FREE_PORT) for port in (higher, lower)]
        for of_higher, of_lower in (of_sets, well_known):
            began = _unless_both(of_higher, of_lower, began)
        return _unless_both(col("lower_syn") > 0, col("higher_syn") > 0, began)

    @property
    def flow(self) -> Mapping[str, Expr]:
        """Give the fields of a flow, over its keys, LOWER_BEGAN, and what was gathered. Others are null."""
        return {
            **_ends("ip"),
            **_ends("port"),
            **_amounts(_amount),
            "event_start": _least(col("lower_start"), col("higher_start")),
            "event_end": col("event_end"),
            **{mark_column(name): lit(False) for name in MARKS},
            mark_column(MISSING_END): col("ends_unknown") > 0,
            MOMENT: col(MOMENT),
            "event_action": when(
                col("known_actions").eq(0),
                None,
                when(col("known_actions").eq(col("drops")), "deny", "allow"),
            ),
            "event_reason": col("event_reason"),
            "event_name": col("event_name"),
            "network_transport": col("network_transport"),
        }

    @property
    def overflows(self) -> Mapping[str, Expr]:
        """Tell of each amount of a flow whether it leaves int64, over the same."""
        return _amounts(_leaves_int64)

    @property
    def unpaired(self) -> Expr:
        """Tell whether a flow has records of one end only, over what was gathered."""
        return col("lower_records").eq(0) | col("higher_records").eq(0)


FROM_LOWER_END: Final = (col("source_ip") < col("destination_ip")) | (
    col("source_ip").eq(col("destination_ip"))
    & (col("source_port").or_else(_UNKNOWN_PORT) <= col("destination_port").or_else(_UNKNOWN_PORT))
)
"""FROM_LOWER, over a record."""


def _of_side(side: str) -> list[Gathered]:
    """What is gathered of the records that one end sent, and of what others say that it sent."""
    own = col(FROM_LOWER) if side == LOWER else ~col(FROM_LOWER)
    flags = col("tcp_flags")
    is_syn = ((flags // _SYN) - (flags // (2 * _SYN)) * 2).eq(1)
    is_ack = ((flags // _ACK) - (flags // (2 * _ACK)) * 2).eq(1)
    found = [
        Gathered(f"{side}_records", "sum", when(own, 1, 0)),
        Gathered(f"{side}_syn", "sum", when(own & (flags >= 0) & is_syn & ~is_ack, 1, 0)),
        Gathered(f"{side}_start", "min", when(own, col("event_start"), None)),
    ]
    for amount in _AMOUNTS:
        sent = when(own, col(f"source_{amount}"), col(f"destination_{amount}"))
        found += [
            Gathered(f"{side}_{amount}_high", "sum", _high(sent.or_else(0))),
            Gathered(f"{side}_{amount}_low", "sum", _low(sent.or_else(0))),
            Gathered(f"{side}_{amount}_known", "sum", when(sent.is_null(), 0, 1)),
        ]
    return found


def _high(amount: Expr) -> Expr:
    return amount // _HALF


def _low(amount: Expr) -> Expr:
    return amount - _high(amount) * _HALF


def _amount(side: str, amount: str) -> Expr:
    """What an end sent: null where it has records but tells it in none, 0 where it has none."""
    silent = (col(f"{side}_records") > 0) & col(f"{side}_{amount}_known").eq(0)
    return when(silent, None, col(f"{side}_{amount}_high") * _HALF + col(f"{side}_{amount}_low"))


def _leaves_int64(side: str, amount: str) -> Expr:
    """Whether the sum of what an end sent leaves int64."""
    return col(f"{side}_{amount}_high") + _high(col(f"{side}_{amount}_low")) >= _HALF // 2


def _amounts(of: Callable[[str, str], Expr]) -> Mapping[str, Expr]:
    """Something of the amounts of each end, by the field of the flow that has the amount."""
    found = {}
    for amount in _AMOUNTS:
        lower, higher = of(LOWER, amount), of(HIGHER, amount)
        found[f"source_{amount}"] = _by_role(lower, higher)
        found[f"destination_{amount}"] = _by_role(higher, lower)
    return found


def _ends(part: str) -> Mapping[str, Expr]:
    lower, higher = col(f"{LOWER}_{part}"), col(f"{HIGHER}_{part}")
    return {
        f"source_{part}": _by_role(lower, higher),
        f"destination_{part}": _by_role(higher, lower),
    }


def _by_role(where_lower_began: Expr, otherwise: Expr) -> Expr:
    return when(col(LOWER_BEGAN), where_lower_began, otherwise)


def _least(first: Expr, second: Expr) -> Expr:
    return when((second < first) | first.is_null(), second, first)


def _unless_equal(answer: Expr, equal: Expr, otherwise: Expr) -> Expr:
    return when(equal, otherwise, answer)


def _unless_both(this: Expr, that: Expr, otherwise: Expr) -> Expr:
    """True where only `this` holds, false where only `that` does, else `otherwise`."""
    return when(this & ~that, True, when(that & ~this, False, otherwise))

"""What shows how the aggregates of a window come about: the pairs, peers, ports and segments that they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from ndr_core.deltas.roles import OUTBOUND
from ndr_core.expressions.evaluate import evaluate
from ndr_core.features.days import date_of
from ndr_core.features.networks import Side
from ndr_core.history.masks import DAYS, active_days
from ndr_core.tables.merge import Row, group
from ndr_core.windows.detection import even_per_mille, is_failed
from ndr_core.windows.explained import Evidence, number_text, top
from ndr_core.windows.medians import median_middle
from ndr_core.windows.novelty import MOST_RARE_DAYS, RARITY_BITS, HostHistory
from ndr_core.windows.plan import WindowPlan

Pair = Mapping[str, Any]
"""A merged row of the pair table."""


@frozen
class HostFacts:
    """What the row of one host in one role is made of."""

    plan: WindowPlan
    role: str
    pairs: Sequence[Pair]
    """Its merged pairs of the window."""
    beacons: Sequence[Mapping[str, Any]]
    history: HostHistory | None
    day: int
    """The day in which the window starts: that of the history's masks."""
    most: int
    """Rows of an evidence."""

    def side(self, pair: Pair) -> Side:
        """Tell on which side the peer of a pair lies."""
        return self.plan.networks.side_of(pair["peer_ip"])

    def segment(self, pair: Pair) -> str:
        """Name the segment of the peer of a pair."""
        return self.plan.networks.segment_of(pair["peer_ip"])

    def days(self, mask: int) -> str:
        """Write the days of a mask as dates, the last one first; none as `never`."""
        found = [date_of(self.day - i) for i in range(DAYS) if mask >> i & 1]
        return ", ".join(found) or "never"


def evidence_of(name: str, facts: HostFacts) -> tuple[Evidence, ...]:
    """Show what an aggregate of a row counts. `name`: of an aggregate; of another column nothing is shown."""
    show = _SHOWN.get(name)
    return () if show is None else tuple(one for one in show(facts) if one.total)


def pair_row(pair: Pair, facts: HostFacts) -> Row:
    """Give what people want to see of a pair."""
    row: Row = {
        "peer_ip": pair["peer_ip"],
        "peer_port": pair["peer_port"],
        "side": facts.side(pair).value,
        "sessions_cnt": pair["sessions_cnt"],
        "bytes_sent_sum": pair["bytes_sent_sum"],
    }
    if facts.role == OUTBOUND.name:
        row |= {name: pair[name] for name in ("unanswered_cnt", "duration_s_sum")}
    if facts.history is not None:
        mask = facts.history.of_pair(pair["peer_ip"], pair["peer_port"])
        row |= {"days_before": active_days(mask)}
    return row


def by_sessions(row: Mapping[str, Any]) -> tuple[int, int]:
    """Order rows by their sessions, equal ones by the bytes the host sent."""
    return row["sessions_cnt"], row["bytes_sent_sum"]


def by_bytes(row: Mapping[str, Any]) -> tuple[int, int]:
    """Order rows by the bytes the host sent, equal ones by their sessions."""
    return row["bytes_sent_sum"], row["sessions_cnt"]


Key = Callable[[Pair], Any]
Masks = Callable[[HostHistory], Mapping[Any, int]]
Shown = Callable[[HostFacts], Iterable[Evidence]]


def summed(pairs: Iterable[Pair], name: str, key: Key) -> list[Row]:
    """Sum the pairs of each value of a key; `name` is that of its column. Pairs of no value are left out."""
    found: dict[Any, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if (value := key(pair)) is not None:
            found[value].append(pair)
    return [
        {
            name: value,
            "sessions_cnt": sum(pair["sessions_cnt"] for pair in members),
            "bytes_sent_sum": sum(pair["bytes_sent_sum"] for pair in members),
        }
        for value, members in found.items()
    ]


def _peer(pair: Pair) -> Any:
    return pair["peer_ip"]


def _port(pair: Pair) -> Any:
    return pair["peer_port"]


def _peers_of(side: Side) -> Shown:
    def show(facts: HostFacts) -> Iterator[Evidence]:
        pairs = [pair for pair in facts.pairs if facts.side(pair) is side]
        rows = summed(pairs, "peer_ip", _peer)
        yield top(f"{side.value} peers", rows, facts.most, by_bytes)

    return show


def _segments(facts: HostFacts) -> Iterator[Evidence]:
    yield top(
        "segments of peers",
        summed(facts.pairs, "segment", facts.segment),
        facts.most,
        by_sessions,
    )


def _of_days(title: str, column: str, key: Callable[[HostFacts], Key], masks: Masks) -> Shown:
    """Peers, ports or segments that are on no day of the history, or on few. `title` begins with new or rare."""
    is_rare = title.startswith("rare")

    def show(facts: HostFacts) -> Iterator[Evidence]:
        if facts.history is None:
            return
        rows = []
        known = masks(facts.history)
        for row in summed(facts.pairs, column, key(facts)):
            mask = known.get(row[column], 0)
            if is_rare and 1 <= active_days(mask) <= MOST_RARE_DAYS:
                rows.append({**row, "seen_on": facts.days(mask)})
            if not is_rare and not mask:
                rows.append(row)
        yield top(title, rows, facts.most, by_sessions)

    return show


def _pairs_of_days(title: str) -> Shown:
    is_rare = title.startswith("rare")

    def show(facts: HostFacts) -> Iterator[Evidence]:
        if facts.history is None:
            return
        rows = []
        for pair in facts.pairs:
            mask = facts.history.of_pair(pair["peer_ip"], pair["peer_port"])
            if (1 <= active_days(mask) <= MOST_RARE_DAYS) if is_rare else not mask:
                seen = {"seen_on": facts.days(mask)} if is_rare else {}
                rows.append(_pair(pair) | seen)
        yield top(title, rows, facts.most, by_sessions)

    return show


def _pair(pair: Pair, *more: str) -> Row:
    names = ("peer_ip", "peer_port", "sessions_cnt", "bytes_sent_sum", *more)
    return {name: pair[name] for name in names}


def _new_segments(facts: HostFacts) -> Iterator[Evidence]:
    def masks(history: HostHistory) -> Mapping[str, int]:
        return history.by_segment(facts.plan.networks)

    yield from _of_days("new segments of peers", "segment", lambda facts: facts.segment, masks)(
        facts
    )


def _new_external(facts: HostFacts) -> Iterator[Evidence]:
    if facts.history is None:
        return
    known = [pair for pair in facts.pairs if facts.side(pair) is Side.EXTERNAL]
    rows = summed(known, "peer_ip", _peer)
    met = facts.history.by_peer()
    new = [row for row in rows if row["peer_ip"] not in met]
    yield top("new external peers", new, facts.most, by_bytes)


def _seen_on(facts: HostFacts) -> Iterator[Evidence]:
    if facts.history is None:
        return
    mask = facts.history.mask
    rows = [{"day": date_of(facts.day - i), "days_before": i} for i in range(DAYS) if mask >> i & 1]
    yield top("days of the history on which the host was seen", rows, facts.most, _days_before)


def _days_before(row: Mapping[str, Any]) -> int:
    days: int = row["days_before"]
    return days


def _rarities(facts: HostFacts) -> Iterator[Evidence]:
    if facts.history is None:
        return
    days_seen = active_days(facts.history.mask)
    rows = []
    for pair in facts.pairs:
        mask = facts.history.of_pair(pair["peer_ip"], pair["peer_port"])
        counts = {"days_seen": days_seen, "active_days": active_days(mask)}
        rows.append(_pair(pair) | counts | {"bits": evaluate(RARITY_BITS, counts)})
    yield top(
        "rarity of the pairs: bits = log2(2 (days_seen + 1)) - log2(2 active_days + 1)",
        rows,
        facts.most,
        lambda row: (row["bits"], *by_sessions(row)),
    )


def _single_hosts(facts: HostFacts) -> list[Pair]:
    """Pairs whose peer is one host: scans are told by these."""
    return [pair for pair in facts.pairs if facts.side(pair) is not Side.NEITHER]


def _failed(facts: HostFacts) -> list[Pair]:
    return [pair for pair in _single_hosts(facts) if is_failed(pair)]


def _spread(key: str, value: str, what: str) -> Shown:
    """Failed targets by one half of their key: which value has most of the other."""

    def show(facts: HostFacts) -> Iterator[Evidence]:
        failed = [pair for pair in _failed(facts) if value == "peer_ip" or pair[value] is not None]
        counted = f"failed_{'peers' if value == 'peer_ip' else 'ports'}"
        rows = [
            {key: found[0], counted: len({pair[value] for pair in members})}
            for found, members in group(failed, (key,)).items()
        ]
        ranked = top(f"{what} by failed targets", rows, facts.most, lambda row: row[counted])
        yield ranked
        for first in ranked.rows[:1]:
            its = [_pair(pair) for pair in failed if pair[key] == first[key]]
            yield top(
                f"failed targets of {key} {number_text(first[key])}", its, facts.most, by_sessions
            )

    return show


def _targets(facts: HostFacts) -> Iterator[Evidence]:
    rows = [_pair(pair, "unanswered_cnt") for pair in _failed(facts)]
    yield top("failed targets: no session was answered", rows, facts.most, by_sessions)


def _peers_with_answers(title: str, *, answered: bool) -> Shown:
    def show(facts: HostFacts) -> Iterator[Evidence]:
        pairs = _single_hosts(facts)
        answering = {pair["peer_ip"] for pair in pairs if not is_failed(pair)}
        its = [pair for pair in pairs if (pair["peer_ip"] in answering) is answered]
        yield top(title, summed(its, "peer_ip", _peer), facts.most, by_sessions)

    return show


def _guessing(facts: HostFacts) -> Iterator[Evidence]:
    rows = [
        {
            "peer_ip": pair["peer_ip"],
            "peer_port": pair["peer_port"],
            "sessions_cnt": pair["sessions_cnt"],
            "even_pm": even_per_mille(pair["bytes_sent_hist"]),
            "median_bytes_sent": median_middle(pair["bytes_sent_hist"]),
        }
        for pair in facts.pairs
        if pair["peer_port"] in facts.plan.ports.auth
    ]
    yield top(
        "pairs of ports of the set auth",
        rows,
        facts.most,
        lambda row: (row["sessions_cnt"], row["even_pm"]),
    )


def _lateral(facts: HostFacts, *, new_only: bool) -> Iterator[Evidence]:
    ports = facts.plan.ports.lateral
    its = [
        pair
        for pair in facts.pairs
        if pair["peer_port"] in ports and facts.side(pair) is Side.INTERNAL
    ]
    title = "internal peers on ports of admin, fileshare or directory"
    if new_only:
        if facts.history is None:
            return
        known = {peer for peer, port in facts.history.pairs if port in ports}
        its = [pair for pair in its if pair["peer_ip"] not in known]
        title += ", with no such pair in the history"
    yield top(title, [_pair(pair) for pair in its], facts.most, by_sessions)


def _longest(facts: HostFacts) -> Iterator[Evidence]:
    rows = [_pair(pair, "duration_s_sum") for pair in facts.pairs]
    yield top("pairs by session time", rows, facts.most, lambda row: row["duration_s_sum"])


def _beacons_by(name: str) -> Shown:
    def show(facts: HostFacts) -> Iterator[Evidence]:
        rows = [
            {key: row[key] for key in ("peer_ip", "peer_port", "period_s", *_SCORES)}
            for row in facts.beacons
            if row["is_external"]
        ]
        yield top("regular pairs with external peers", rows, facts.most, lambda row: row[name])

    return show


_SCORES: Final = ("beacon_score", "beacon_threat")


def _outbound(show: Shown) -> Shown:
    """Evidence of what inbound rows do not have."""
    return lambda facts: show(facts) if facts.role == OUTBOUND.name else ()


_SHOWN: Final[dict[str, Shown]] = {
    "peer_segment_nunique": _segments,
    "ext_peer_nunique": _peers_of(Side.EXTERNAL),
    "int_peer_nunique": _peers_of(Side.INTERNAL),
    "ext_bytes_sent_sum": _peers_of(Side.EXTERNAL),
    "novelty:new_peers": _of_days("new peers", "peer_ip", lambda _: _peer, HostHistory.by_peer),
    "novelty:rare_peers": _of_days("rare peers", "peer_ip", lambda _: _peer, HostHistory.by_peer),
    "novelty:new_ports": _of_days("new ports", "peer_port", lambda _: _port, HostHistory.by_port),
    "novelty:rare_ports": _of_days("rare ports", "peer_port", lambda _: _port, HostHistory.by_port),
    "novelty:new_pairs": _pairs_of_days("new pairs"),
    "novelty:rare_pairs": _pairs_of_days("rare pairs"),
    "novelty:new_segments": _new_segments,
    "novelty:new_ext_bytes": _new_external,
    "history_days": _seen_on,
    "novelty:rarity_max": _rarities,
    "novelty:rarity_sum": _rarities,
    "hscan_max_peers": _outbound(_spread("peer_port", "peer_ip", "ports")),
    "vscan_max_ports": _outbound(_spread("peer_ip", "peer_port", "peers")),
    "scan_targets_cnt": _outbound(_targets),
    "detection:failed_peers": _outbound(
        _peers_with_answers("peers without an answered session", answered=False)
    ),
    "detection:answering_peers": _outbound(
        _peers_with_answers("peers with an answered session", answered=True)
    ),
    "brute_max_sessions": _outbound(_guessing),
    "brute_even_pm": _outbound(_guessing),
    "admin_peer_nunique": _outbound(lambda facts: _lateral(facts, new_only=False)),
    "detection:new_admin_peers": _outbound(lambda facts: _lateral(facts, new_only=True)),
    "long_pair_seconds_max": _outbound(_longest),
    "beacon_score_max": _beacons_by("beacon_score"),
    "beacon_threat_max": _beacons_by("beacon_threat"),
}
"""By the name of an aggregate."""

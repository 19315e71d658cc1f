"""The semantics of the pair history in plain Python over plain rows: slow, obvious, the oracle of every test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from ndr_core.deltas.roles import OUTBOUND
from ndr_core.deltas.tables import PAIR
from ndr_core.history.masks import DAYS, age_days, day_bit, next_mask
from ndr_core.history.plan import ROLES, HistoryPlan, row_place
from ndr_core.history.prevalence import OF_DAY, prevalence_of
from ndr_core.history.tables import (
    HOST_PEER_HISTORY,
    HOST_PORT_HISTORY,
    HOST_SEGMENT_HISTORY,
    PAIR_HISTORY,
    PAIR_KEY,
    PAIR_TILE,
    PREVALENCE,
)
from ndr_core.tables.merge import Row, check_int64, group, nulls_first
from ndr_core.tables.table import Table
from ndr_core.times import day_of

PairKey = tuple[Any, ...]
"""The values of `PAIR_KEY`: host, role, peer, port."""

_LEAVING: Final = day_bit(DAYS - 1)
"""The first day of a mask, which drops out on the next day."""


@frozen
class Tile:
    """The sessions of one pair on one day."""

    sessions: int = 0
    bytes_sent: int = 0
    last_seen: int = 0
    """The latest end of a session, us."""


NOTHING: Final = Tile()


@frozen
class PairDays:
    """What is known of one pair, of the 30 days that end with a day."""

    mask: int = 0
    last_seen: int = 0
    """The latest end of a session of the last active day, us."""
    sessions: int = 0
    bytes_sent: int = 0


@frozen
class HistoryRows:
    """What the history of a day is made from: plain rows, as the core or as a reader gives rows."""

    pairs: Sequence[Mapping[str, Any]]
    """Pair rows of the day's slices, and of earlier days that are read from slices."""
    tiles: Sequence[Mapping[str, Any]] = field(default=())
    """Rows of the pair tiles of other earlier days."""
    former: Sequence[Mapping[str, Any]] | None = None
    """The pair history of the day before, to go on from; None: there is none."""


def history_tables(rows: HistoryRows, plan: HistoryPlan) -> dict[str, list[Row]]:
    """Build the tables of the history of a day: name -> rows, sorted by their keys, nulls first.

    Raises OverflowingColumnError where a sum leaves int64, NdrError where the former history and the tile of the
    leaving day do not fit together.
    """
    days = _tiles_of(rows, plan)
    today = days.get(plan.day, {})
    if rows.former is None:
        pairs = pairs_anew(days, plan)
    else:
        pairs = pairs_gone_on(_known(rows.former), today, days.get(plan.leaving_day, {}), plan)
    for column, name in (("sessions_30d", "sessions"), ("bytes_sent_30d", "bytes_sent")):
        _check_sums(
            PAIR_HISTORY, column, {key: getattr(pairs[key], name) for key in pairs}, plan.day
        )
    history = [_history_row(key, known) for key, known in pairs.items()]
    made = {
        PAIR_HISTORY: history,
        **views_of(history, plan),
        PREVALENCE: _prevalence(history, plan),
        PAIR_TILE: [_tile_row(key, tile) for key, tile in today.items()],
    }
    return {table.name: _finished(of_table, table, plan) for table, of_table in made.items()}


def views_of(history: Sequence[Mapping[str, Any]], plan: HistoryPlan) -> dict[Table, list[Row]]:
    """Give the views of rows of the pair history: the days, and the last session, of each peer, port and segment."""
    with_segments = [
        {**row, "segment": plan.networks.segment_of(row["peer_ip"])} for row in history
    ]
    return {
        HOST_PEER_HISTORY: _view(history, "peer_ip"),
        HOST_PORT_HISTORY: _view(history, "peer_port"),
        HOST_SEGMENT_HISTORY: _view(with_segments, "segment"),
    }


def pairs_gone_on(
    former: Mapping[PairKey, PairDays],
    today: Mapping[PairKey, Tile],
    leaving: Mapping[PairKey, Tile],
    plan: HistoryPlan,
) -> dict[PairKey, PairDays]:
    """Make the history of a day from that of the day before, the tile of the day and that of the leaving day.

    Pairs that were active on none of the 30 days drop out. Raises NdrError where the former history and the tile of
    the leaving day do not fit together.
    """
    found = {}
    misfits = []
    for key in {*former, *today, *leaving}:
        before, new, gone = former.get(key, PairDays()), today.get(key), leaving.get(key)
        known = PairDays(
            next_mask(before.mask, is_active=new is not None),
            before.last_seen if new is None else new.last_seen,
            before.sessions - (gone or NOTHING).sessions + (new or NOTHING).sessions,
            before.bytes_sent - (gone or NOTHING).bytes_sent + (new or NOTHING).bytes_sent,
        )
        if bool(before.mask & _LEAVING) is not (gone is not None) or _is_impossible(known):
            misfits.append(key[0])
        if known.mask:
            found[key] = known
    if misfits:
        raise plan.misfit(min(misfits))
    return found


def pairs_anew(
    days: Mapping[int, Mapping[PairKey, Tile]], plan: HistoryPlan
) -> dict[PairKey, PairDays]:
    """Make the history of a day from the tiles of its 30 days. `days`: day -> its tile."""
    found: dict[PairKey, PairDays] = {}
    for day in (*plan.earlier_days, plan.day):
        for key, tile in days.get(day, {}).items():
            before = found.get(key, PairDays())
            found[key] = PairDays(
                before.mask | day_bit(plan.day - day),
                tile.last_seen,
                before.sessions + tile.sessions,
                before.bytes_sent + tile.bytes_sent,
            )
    return found


def _is_impossible(known: PairDays) -> bool:
    """Whether no sessions of the days of the mask can have these sums."""
    if not known.mask:
        return (known.sessions, known.bytes_sent) != (0, 0)
    return known.sessions < 0 or known.bytes_sent < 0


def _tiles_of(rows: HistoryRows, plan: HistoryPlan) -> dict[int, dict[PairKey, Tile]]:
    """Day -> its tile, of all days of which there are rows."""
    days: dict[int, dict[PairKey, Tile]] = {}
    pairs = [
        {**row, "day": day_of(row["slice_start_ts"])} for row in map(PAIR.plain_row, rows.pairs)
    ]
    kept = [row for row in pairs if row["role"] in ROLES and plan.has_rows(row["host_ip"])]
    for (day,), of_day in sorted(group(kept, ("day",)).items()):
        members = group(of_day, PAIR_KEY)
        for name in ("sessions_cnt", "bytes_sent_sum"):
            sums = {key: sum(row[name] for row in found) for key, found in members.items()}
            _check_sums(PAIR_TILE, name, sums, day)
        days[day] = {
            key: Tile(
                sum(row["sessions_cnt"] for row in found),
                sum(row["bytes_sent_sum"] for row in found),
                max(row["event_ts"] for row in found),
            )
            for key, found in members.items()
        }
    for row in map(PAIR_TILE.plain_row, rows.tiles):
        tile = Tile(row["sessions_cnt"], row["bytes_sent_sum"], row["last_seen_ts"])
        days.setdefault(day_of(row["day_ts"]), {})[_key(row)] = tile
    return days


def _check_sums(table: Table, column: str, sums: Mapping[PairKey, int], day: int) -> None:
    """Raise OverflowingColumnError for the first pair, by role and host, with a sum that leaves int64."""
    for (host, role, *_), total in sorted(sums.items(), key=lambda item: (item[0][1], item[0][0])):
        check_int64(column, total, row_place(table.name, day, role, host))


def _known(former: Iterable[Mapping[str, Any]]) -> dict[PairKey, PairDays]:
    return {
        _key(row): PairDays(
            row["days_mask"], row["last_seen_ts"], row["sessions_30d"], row["bytes_sent_30d"]
        )
        for row in map(PAIR_HISTORY.plain_row, former)
    }


def _key(row: Mapping[str, Any]) -> PairKey:
    return tuple(row[name] for name in PAIR_KEY)


def _history_row(key: PairKey, known: PairDays) -> Row:
    return {
        **dict(zip(PAIR_KEY, key, strict=True)),
        "days_mask": known.mask,
        "last_seen_ts": known.last_seen,
        "age_days": age_days(known.mask),
        "sessions_30d": known.sessions,
        "bytes_sent_30d": known.bytes_sent,
    }


def _tile_row(key: PairKey, tile: Tile) -> Row:
    return {
        **dict(zip(PAIR_KEY, key, strict=True)),
        "sessions_cnt": tile.sessions,
        "bytes_sent_sum": tile.bytes_sent,
        "last_seen_ts": tile.last_seen,
    }


def _view(history: Iterable[Mapping[str, Any]], name: str) -> list[Row]:
    """The history by host, role and another column, without rows in which that is null."""
    keys = ("host_ip", "role", name)
    known = [row for row in history if row[name] is not None]
    rows = []
    for key, members in group(known, keys).items():
        mask = 0
        for row in members:
            mask |= row["days_mask"]
        last_seen = max(row["last_seen_ts"] for row in members)
        rows.append(
            {**dict(zip(keys, key, strict=True)), "days_mask": mask, "last_seen_ts": last_seen}
        )
    return rows


def _prevalence(history: Iterable[Row], plan: HistoryPlan) -> list[Row]:
    outbound = [row for row in history if row["role"] == OUTBOUND.name]
    contacts = ((row["host_ip"], row["peer_ip"], row["days_mask"]) for row in outbound)
    found = prevalence_of(contacts, OF_DAY, plan.networks)
    return [
        {
            "role": OUTBOUND.name,
            "peer_ip": peer,
            "hosts_cnt": hosts,
            "hosts_seen_cnt": found.hosts_seen_cnt,
        }
        for peer, hosts in found.hosts_cnt.items()
    ]


def _finished(rows: Iterable[Row], table: Table, plan: HistoryPlan) -> list[Row]:
    """Rows in the columns of their table, sorted by its keys."""
    constants = plan.constants()
    whole = [
        {column.name: (row | constants)[column.name] for column in table.columns} for row in rows
    ]
    return sorted(whole, key=lambda row: nulls_first(table.key_of(row)))

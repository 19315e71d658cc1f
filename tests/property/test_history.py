"""The pair history by Polars is that of the reference, to the last bit, however it is made and shared out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_adapters.polars.features.history_files import FORMER_COLUMNS, PAIR_COLUMNS, TILE_COLUMNS
from ndr_adapters.polars.features.history_kernel import build_share, prevalence
from ndr_adapters.polars.features.history_numbers import DayRows
from ndr_adapters.polars.features.networks import segments, sides
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import NdrError
from ndr_core.features.networks import Hosts, Networks
from ndr_core.history.plan import HistoryPlan
from ndr_core.history.reference import HistoryRows, history_tables
from ndr_core.history.tables import HISTORY_TABLES, PAIR_HISTORY, PAIR_TILE, PREVALENCE
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.merge import Row
from ndr_core.tables.table import Table
from ndr_core.times import day_start
from tests.property.frames import exactly, frame_of, rows_of
from tests.soak import examples
from tests.unit.core.history.days import pair, plan

NETWORKS = Networks(
    internal=("10.0.0.0/8", "fd00::/8"),
    segments={"lab": ("192.0.2.128/25", "2001:db8:7::/48"), "all": ("192.0.0.0/8",)},
)
LAST = 20_000
HOSTS = st.sampled_from(
    ["10.0.0.1", "10.0.0.20", "10.0.0.3", "fd00::1", "198.51.100.9", "239.0.0.1"]
)
PEERS = st.sampled_from(["192.0.2.7", "192.0.2.200", "2001:db8:7::1", "2001:db8::9", "10.0.0.1"])
ROLES = st.sampled_from(["outbound", "inbound", "transit"])
PORTS = st.sampled_from([None, 0, 22, 443, 65535])
AGES = st.sampled_from([0, 0, 0, 1, 2, 6, 7, 28, 29, 30])


SMALL = st.integers(0, 99)


@st.composite
def pairs(draw: st.DrawFn, amounts: st.SearchStrategy[int] = SMALL) -> Row:
    row = pair(
        LAST - draw(AGES),
        draw(HOSTS),
        draw(PEERS),
        draw(PORTS),
        draw(ROLES),
        sessions=draw(st.integers(1, 5)),
        bytes_sent=draw(amounts),
        quarter=draw(st.integers(0, 95)),
    )
    # A session may end after the day of its slice.
    return row | {"event_ts": row["event_ts"] + draw(st.sampled_from([0, 0, 3 * 86_400_000_000]))}


PAIRS = st.lists(pairs(), max_size=30)
SHARES = st.sampled_from([1, 2, 5])


def the_plan(day: int, hosts: Hosts = Hosts.INTERNAL) -> HistoryPlan:
    return plan(day, networks=NETWORKS, hosts=hosts)


def of_days(rows: Sequence[Row], days: range) -> list[Row]:
    starts = range(day_start(days.start), day_start(days.stop))
    return [row for row in rows if row["slice_start_ts"] in starts]


def built(rows: HistoryRows, of_day: HistoryPlan, shares: int) -> dict[str, list[Row]]:
    """The tables of a day by Polars, put together of shares of hosts."""
    former = None if rows.former is None else lazily(rows.former, PAIR_HISTORY, FORMER_COLUMNS)
    whole = DayRows(
        lazily(rows.pairs, PAIR, PAIR_COLUMNS), lazily(rows.tiles, PAIR_TILE, TILE_COLUMNS), former
    )
    found: dict[str, list[pl.DataFrame]] = {table.name: [] for table in HISTORY_TABLES}
    contacts = []
    for number in range(shares):
        share = build_share(whole.share(number, shares), of_day)
        for table, frame in share.tables():
            assert in_order(frame, table)
            found[table.name].append(frame)
        contacts.append(share.contacts())
    found[PREVALENCE.name].append(prevalence(contacts, of_day))
    return {
        table.name: rows_of(pl.concat(found[table.name]), table.columns, table.keys)
        for table in HISTORY_TABLES
    }


def lazily(rows: Sequence[Mapping[str, Any]], table: Table, columns: Sequence[str]) -> pl.LazyFrame:
    return frame_of(rows, table.columns).lazy().select(columns)


def in_order(frame: pl.DataFrame, table: Table) -> bool:
    """Whether the rows of each role, which make a file, are sorted by key."""
    keys = [key for key in table.keys if key not in ("role", "day_ts")]
    return all(part.equals(part.sort(keys)) for part in frame.partition_by("role"))


def expected(rows: HistoryRows, of_day: HistoryPlan) -> dict[str, list[Row]]:
    """As the reference has them, sorted as `rows_of` sorts."""
    found = history_tables(rows, of_day)
    return {
        table.name: rows_of(frame_of(found[table.name], table.columns), table.columns, table.keys)
        for table in HISTORY_TABLES
    }


def outcome(build: Callable[[], dict[str, list[Row]]]) -> dict[str, list[str]] | str:
    try:
        return {name: exactly(rows) for name, rows in build().items()}
    except NdrError as error:
        return f"{type(error).__name__}: {error}"


@settings(max_examples=examples(40), deadline=None)
@given(PAIRS, SHARES, st.sampled_from(Hosts))
def test_a_history_made_anew_is_that_of_the_reference(
    rows: list[Row], shares: int, hosts: Hosts
) -> None:
    of_day = the_plan(LAST, hosts)
    from_slices = HistoryRows(of_days(rows, range(LAST - 29, LAST + 1)))
    yesterday = the_plan(LAST - 1, hosts)
    tile = history_tables(HistoryRows(of_days(rows, range(LAST - 1, LAST))), yesterday)["pair_tile"]
    others = [*of_days(rows, range(LAST - 29, LAST - 1)), *of_days(rows, range(LAST, LAST + 1))]
    with_a_tile = HistoryRows(others, tile)

    found = outcome(lambda: built(from_slices, of_day, shares))

    assert found == outcome(lambda: expected(from_slices, of_day))
    assert found == outcome(lambda: built(with_a_tile, of_day, shares))


@settings(max_examples=examples(40), deadline=None)
@given(PAIRS, SHARES, st.sampled_from(Hosts))
def test_a_history_that_goes_on_is_that_of_the_reference_and_that_made_anew(
    rows: list[Row], shares: int, hosts: Hosts
) -> None:
    of_day = the_plan(LAST, hosts)
    before = HistoryRows(of_days(rows, range(LAST - 30, LAST)))
    former = history_tables(before, the_plan(LAST - 1, hosts))["pair_history"]
    leaving = HistoryRows(of_days(rows, range(LAST - 30, LAST - 29)))
    tile = history_tables(leaving, the_plan(LAST - 30, hosts))["pair_tile"]
    today = of_days(rows, range(LAST, LAST + 1))

    found = outcome(lambda: built(HistoryRows(today, tile, former), of_day, shares))

    anew = HistoryRows(of_days(rows, range(LAST - 29, LAST + 1)))
    assert found == outcome(lambda: expected(HistoryRows(today, tile, former), of_day))
    assert found == outcome(lambda: expected(anew, of_day))
    from_slices = HistoryRows([*leaving.pairs, *today], (), former)
    assert found == outcome(lambda: built(from_slices, of_day, shares))


LARGE = st.sampled_from([0, 1, INT64_MAX // 2, INT64_MAX - 1, INT64_MAX])


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(pairs(LARGE), max_size=12))
def test_sums_that_leave_int64_are_the_same_error_as_that_of_the_reference(rows: list[Row]) -> None:
    of_day = the_plan(LAST)
    whole = HistoryRows(of_days(rows, range(LAST - 29, LAST + 1)))

    assert outcome(lambda: built(whole, of_day, 1)) == outcome(lambda: expected(whole, of_day))


@settings(max_examples=examples(40), deadline=None)
@given(PAIRS, st.data())
def test_a_leaving_tile_that_does_not_fit_is_the_same_error_as_that_of_the_reference(
    rows: list[Row], data: st.DataObject
) -> None:
    of_day = the_plan(LAST)
    before = HistoryRows(of_days(rows, range(LAST - 30, LAST)))
    former = history_tables(before, the_plan(LAST - 1))["pair_history"]
    leaving = HistoryRows(of_days(rows, range(LAST - 30, LAST - 29)))
    tile = history_tables(leaving, the_plan(LAST - 30))["pair_tile"]
    for row in tile:
        row["bytes_sent_sum"] += data.draw(st.sampled_from([0, 0, 1, -1, 1000]))
        row["peer_ip"] = data.draw(st.sampled_from([row["peer_ip"]] * 3 + ["192.0.2.77"]))
    given_rows = HistoryRows(of_days(rows, range(LAST, LAST + 1)), tile, former)

    assert outcome(lambda: built(given_rows, of_day, 1)) == outcome(
        lambda: expected(given_rows, of_day)
    )


ADDRESSES = st.lists(
    st.one_of(
        st.ip_addresses(v=4).map(str),
        st.sampled_from(["10.0.0.0", "10.255.255.255", "192.0.2.127", "192.0.2.128", "0.0.0.0"]),
        st.sampled_from(["255.255.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.0"]),
        st.sampled_from(["::", "::1", "fd00::1", "fe80::1", "ff02::1", "2001:db8:7::1", "2600::"]),
    ),
    unique=True,
)
CHOSEN = st.sampled_from(
    [
        NETWORKS,
        Networks(),
        evolve(NETWORKS, internal=("2001:db8::/32",)),
        Networks(
            internal=("0.0.0.0/0",), segments={"any": ("0.0.0.0/0",), "one": ("10.0.0.1/32",)}
        ),
    ]
)


@settings(max_examples=examples(60), deadline=None)
@given(ADDRESSES, CHOSEN)
def test_sides_and_segments_are_those_of_the_core(addresses: list[str], networks: Networks) -> None:
    column = pl.Series("address", addresses, dtype=pl.String)

    assert sides(column, networks).to_list() == [networks.side_of(one).value for one in addresses]
    assert segments(column, networks).to_list() == [networks.segment_of(one) for one in addresses]

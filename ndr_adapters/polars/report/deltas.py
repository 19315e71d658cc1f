"""What a report shows of deltas and pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
from attrs import frozen

from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.polars.report.outputs import OfVersion
from ndr_core.deltas.roles import OUTBOUND
from ndr_core.report.content import PEERS, SLICES, STARTS, Ranking
from ndr_core.report.listing import Column, Kind, Listing
from ndr_core.report.scores import BUSIEST
from ndr_core.report.span import Span, seconds
from ndr_core.times import DAY_US, HOUR_US, SECOND_US, to_datetime

MOST_PEERS: Final = 10
"""Peers of a host that are listed in each role."""
MOST_STRIPS: Final = 6
"""Pairs of a host whose starts are shown."""
_SUMS: Final = ("sessions_cnt", "bytes_sent_sum", "bytes_recv_sum")
_PAIR: Final = ("host_ip", "peer_ip", "peer_port")
_START: Final = pl.col("slice_start_ts").dt.epoch("us")


@frozen
class DeltaReader:
    """Reads the deltas of a span of time."""

    output: OfVersion
    span: Span

    def count_hosts(self) -> int:
        """Count the hosts with a row in any role."""
        found = self._rows().select(pl.col("host_ip").n_unique()).collect(engine="streaming")
        return int(found.item())

    def slices(self, published: Iterable[int]) -> Listing:
        """Give sessions and bytes by parts of the span. `published`: starts of the published slices, us.

        Each session counts once, on the side of its source.
        """
        width = self.span.bin
        rows = self._rows().filter(pl.col("role") == OUTBOUND.name)
        sums = _sums(rows, _SUMS)
        found = (
            rows.group_by((_START // width * width).alias("start"))
            .agg(sums)
            .collect(engine="streaming")
        )
        by_start = {row["start"]: row for row in found.iter_rows(named=True)}
        known = {start // width * width for start in published}
        none = dict.fromkeys(_SUMS) if not sums else dict.fromkeys(found.columns, 0)
        return Listing.of(
            SLICES,
            (
                (
                    seconds(start),
                    seconds(start + width),
                    *_values(by_start.get(start, none) if start in known else {}),
                )
                for start in self.span.bins()
            ),
        )

    def rankings(self, top: int) -> tuple[Ranking, ...]:
        """Rank hosts by what they sum up to, in both roles together."""
        rows = self._rows()
        known = rows.collect_schema()
        columns = [one for one in BUSIEST if one.name in known]
        if not columns:
            return ()
        totals = rows.group_by("host_ip").agg(_sums(rows, [one.name for one in columns]))
        frames = pl.collect_all(
            [_first(totals, one.name, top) for one in columns], engine="streaming"
        )
        return tuple(
            _ranking(one, columns, frame) for one, frame in zip(columns, frames, strict=True)
        )

    def hours(self, hosts: Sequence[str], hours: Sequence[int]) -> dict[tuple[str, int], Any]:
        """Give (host, start of an hour in us) -> sums of both roles, of some hosts and hours."""
        rows = self._rows().filter(
            pl.col("host_ip").is_in(list(hosts))
            & _START.is_between(hours[0], hours[-1] + HOUR_US, closed="left")
        )
        hour = (_START // HOUR_US * HOUR_US).alias("hour")
        found = rows.group_by("host_ip", hour).agg(_sums(rows, _SUMS)).collect(engine="streaming")
        return {(row["host_ip"], row["hour"]): row for row in found.iter_rows(named=True)}

    def _rows(self) -> pl.LazyFrame:
        since, until = to_datetime(self.span.start), to_datetime(self.span.end)
        return read_deltas(self.output, since=since, until=until)


@frozen
class PairReader:
    """Reads the pairs of some hosts in a span of time."""

    output: OfVersion
    span: Span
    hosts: tuple[str, ...]

    def peers(self) -> dict[str, Listing]:
        """Give host -> its peers of each role, those with most sessions."""
        totals = (
            self._rows(self.span)
            .group_by("role", *_PAIR)
            .agg(*(pl.sum(name) for name in _SUMS), pl.max("event_ts"))
            .sort("sessions_cnt", "peer_ip", "peer_port", descending=[True, False, False])
            .group_by("host_ip", "role", maintain_order=True)
            .head(MOST_PEERS)
            .collect()
            .sort("host_ip", "role", descending=[False, True], maintain_order=True)
        )
        return _by_host(
            totals,
            PEERS,
            lambda row: (
                row["role"],
                row["peer_ip"],
                port_text(row["peer_port"]),
                *(row[name] for name in _SUMS),
                None if row["event_ts"] is None else int(row["event_ts"].timestamp()),
            ),
        )

    def starts(
        self, end: int, regular: Mapping[str, Sequence[tuple[str, int | None]]]
    ) -> dict[str, Listing]:
        """Give host -> the sessions of some of its pairs by the minute in which they began, of the day before a moment.

        `end`: us; `regular`: host -> peer and port of its regular pairs, the first ones first. Of a host without any,
        the outbound pairs with most sessions are taken.
        """
        rows = self._rows(Span(end - DAY_US, end)).filter(pl.col("role") == OUTBOUND.name)
        if "starts" not in rows.collect_schema():
            return {}
        wanted = self._wanted(rows, regular)
        minute = (_START // SECOND_US + pl.col("bucket")) // 60 * 60
        found = (
            rows.join(wanted.lazy(), on=list(_PAIR), how="inner", nulls_equal=True)
            .select("place", *_PAIR, "slice_start_ts", "starts")
            .explode("starts")
            .drop_nulls("starts")
            .unnest("starts")
            .with_columns(minute=minute)
            # What began earlier counts in a bucket far before; it says nothing of regularity.
            .filter(pl.col("minute") >= (end - 2 * DAY_US) // SECOND_US)
            .group_by("place", *_PAIR, "minute")
            .agg(pl.sum("count"))
            .collect()
            .sort("host_ip", "place", "minute")
        )
        return _by_host(
            found,
            STARTS,
            lambda row: (pair_text(row["peer_ip"], row["peer_port"]), row["minute"], row["count"]),
        )

    def _wanted(
        self, rows: pl.LazyFrame, regular: Mapping[str, Sequence[tuple[str, int | None]]]
    ) -> pl.DataFrame:
        """The pairs whose starts are shown, with the place of each among those of its host."""
        given = [
            (host, peer, port, place)
            for host, pairs in regular.items()
            for place, (peer, port) in enumerate(pairs[:MOST_STRIPS])
        ]
        schema = {
            "host_ip": pl.String,
            "peer_ip": pl.String,
            "peer_port": pl.Int64,
            "place": pl.Int64,
        }
        known = pl.DataFrame(given, schema=schema, orient="row")
        others = [host for host in self.hosts if not regular.get(host)]
        busiest = (
            rows.filter(pl.col("host_ip").is_in(others))
            .group_by(*_PAIR)
            .agg(pl.sum("sessions_cnt"))
            .sort("sessions_cnt", "peer_ip", "peer_port", descending=[True, False, False])
            .group_by("host_ip", maintain_order=True)
            .head(MOST_STRIPS)
            .with_columns(place=pl.int_range(pl.len()).over("host_ip").cast(pl.Int64))
            .select(*schema)
            .collect()
        )
        return pl.concat([known, busiest])

    def _rows(self, span: Span) -> pl.LazyFrame:
        since, until = to_datetime(max(span.start, 0)), to_datetime(span.end)
        rows = read_pairs(self.output, since=since, until=until)
        return rows.filter(pl.col("host_ip").is_in(list(self.hosts)))


def port_text(port: int | None) -> str:
    """Give a port as people read it."""
    return "no port" if port is None else str(port)


def pair_text(peer: str, port: int | None) -> str:
    """Name a pair of a host by its other end."""
    return f"{peer}, {'no port' if port is None else f'port {port}'}"


def _by_host(frame: pl.DataFrame, columns: Sequence[Column], shown: Any) -> dict[str, Listing]:
    rows: dict[str, list[Any]] = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault(row["host_ip"], []).append(shown(row))
    return {host: Listing.of(columns, found) for host, found in rows.items()}


def _sums(rows: pl.LazyFrame, names: Iterable[str]) -> list[pl.Expr]:
    """Sums of the columns that the choice of measures left in; 128 bits, as they add up over time."""
    known = rows.collect_schema()
    return [pl.col(name).cast(pl.Int128).sum() for name in names if name in known]


def _values(row: Mapping[str, Any]) -> Iterator[Any]:
    return (row.get(name) for name in _SUMS)


def _first(totals: pl.LazyFrame, column: str, top: int) -> pl.LazyFrame:
    positive = totals.filter(pl.col(column) > 0)
    return positive.sort(column, "host_ip", descending=[True, False]).head(top)


def _ranking(column: Column, columns: Sequence[Column], frame: pl.DataFrame) -> Ranking:
    others = [one for one in columns if one is not column]
    rows = [
        (row["host_ip"], row[column.name], *(row[one.name] for one in others))
        for row in frame.iter_rows(named=True)
    ]
    return Ranking(
        column.title,
        "Sum of the deltas of this time, in both roles.",
        float(rows[0][1]) if rows else 1.0,
        Listing.of((Column("host", "host", Kind.TEXT), column, *others), rows),
    )

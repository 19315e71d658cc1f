"""Windows of made-up hosts, for benches of baselines: values as hosts of a company have them, drawn by a seed.

Six of ten hosts are workstations (busy on working days from 7 to 18, rarely else), a quarter are devices (a little to
say all day), the others servers (always busy, mostly inbound). Each host has a rate of its own, log-normal over hosts;
around it the sessions of a slice are log-normal (sigma 0.7), bytes and time of a session, too (sigma 1). Rare things
such as drops or resets are in some of the slices. What is counted distinct grows as a power of the sessions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import polars as pl
from attrs import define

from ndr_adapters.polars.expr import compile_expr
from ndr_adapters.polars.features.window_kernel import _held
from ndr_core.expressions.expr import col
from ndr_core.expressions.portable import bucket_middle, bucket_of
from ndr_core.tables.slices import partition_of
from ndr_core.times import MINUTE_US, day_start
from ndr_core.windows.formulas import FORMULAS
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import WindowPlan

SLICES: Final = 96
"""Of a day."""
_SLICE_US: Final = 15 * MINUTE_US

_PARTS: Final[Mapping[str, tuple[float, float]]] = {
    "drop_cnt": (0.1, 0.1),
    "alert_cnt": (0.001, 0.05),
    "rst_cnt": (0.4, 0.1),
    "aged_out_cnt": (0.5, 0.3),
    "threat_cnt": (0.001, 0.02),
    "udp_cnt": (0.95, 0.35),
    "icmp_cnt": (0.05, 0.05),
    "zero_reply_cnt": (0.3, 0.1),
    "short_session_cnt": (0.6, 0.4),
    "admin_sessions_cnt": (0.05, 0.1),
    "db_sessions_cnt": (0.03, 0.2),
    "directory_sessions_cnt": (0.3, 0.1),
    "dns_sessions_cnt": (0.9, 0.3),
    "fileshare_sessions_cnt": (0.2, 0.1),
    "high_risk_sessions_cnt": (0.1, 0.1),
    "mail_sessions_cnt": (0.05, 0.1),
    "web_sessions_cnt": (0.9, 0.5),
}
"""Counter -> share of the slices that have it, and its part of their sessions."""


@define
class Drawn:
    """Random numbers of the rows of a frame: those of one seed are the same."""

    seed: int
    _used: int = 0

    def uniform(self) -> pl.Expr:
        """Give numbers in [0, 1)."""
        self._used += 1
        number = pl.int_range(pl.len(), dtype=pl.UInt64).hash(self.seed * 1000 + self._used)
        return (number // (1 << 11)).cast(pl.Float64) / float(1 << 53)

    def normal(self) -> pl.Expr:
        """Give numbers of a standard normal law."""
        radius = (self.uniform() + 1e-300).log() * -2.0
        return radius.sqrt() * (self.uniform() * (2 * math.pi)).cos()


def hosts(count: int) -> pl.DataFrame:
    """Make hosts, in segments of 250 each: `host_ip`, kind and rates."""
    number = pl.int_range(count)
    drawn = Drawn(1)
    kind = pl.when(number % 20 < 12).then(0).when(number % 20 < 17).then(1).otherwise(2)
    named = pl.select(number=number).select(
        host_ip=pl.format(
            "10.{}.{}.{}",
            1 + pl.col("number") // 25_000,
            pl.col("number") // 250 % 100,
            pl.col("number") % 250 + 1,
        ),
        kind=kind,
    )
    base = pl.col("kind").replace_strict([0, 1, 2], [math.log(30), math.log(4), math.log(150)])
    return named.with_columns(
        rate=base + drawn.normal() * 0.8,
        size=drawn.normal() * 0.8 + 7.5,
        reply=drawn.normal() * 0.8 + 8.5,
        time=drawn.normal() * 0.5 + 15.0,
        spread=drawn.normal() * 0.3,
        mix=drawn.uniform(),
        is_open=drawn.uniform() < 0.2,
    )


def slices(known: pl.DataFrame, date: int) -> pl.DataFrame:
    """Make the slices of a date and of the one before: each host and role has all of them, one after the other."""
    grid = known.join(pl.DataFrame({"role": ["outbound", "inbound"]}), how="cross").join(
        pl.DataFrame({"slice": range(2 * SLICES)}), how="cross"
    )
    parts = [
        part.with_columns(day=pl.lit(date - 1 + place)).pipe(_drawn_day, date - 1 + place)
        for place, part in enumerate(
            (grid.filter(pl.col("slice") < SLICES), grid.filter(pl.col("slice") >= SLICES))
        )
    ]
    return pl.concat(parts).sort("host_ip", "role", "slice")


def _drawn_day(rows: pl.DataFrame, date: int) -> pl.DataFrame:
    """The sessions of slices of a date: the same ones whichever date they are made for."""
    drawn = Drawn(date)
    hour = pl.col("slice") % SLICES // 4
    is_free = (date + 3) % 7 > 4
    at_work = hour.is_between(7, 17) if not is_free else pl.lit(False)
    outbound = pl.col("role") == "outbound"
    active = (
        pl.when(outbound)
        .then(
            pl.when(pl.col("kind") == 0)
            .then(pl.when(at_work).then(0.85).otherwise(0.06))
            .when(pl.col("kind") == 1)
            .then(0.4)
            .otherwise(0.97)
        )
        .otherwise(
            pl.when(pl.col("kind") == 0)
            .then(pl.when(at_work).then(0.08).otherwise(0.01))
            .when(pl.col("kind") == 1)
            .then(0.05)
            .otherwise(0.97)
        )
    )
    rate = pl.col("rate") + pl.when(outbound).then(0.0).when(pl.col("kind") == 2).then(
        1.0
    ).otherwise(-2.5)
    # Of workstations and devices, few let others in.
    active = (
        pl.when(outbound | (pl.col("kind") == 2) | pl.col("is_open")).then(active).otherwise(0.0)
    )
    count = (rate + drawn.normal() * 0.7).exp().floor().cast(pl.Int64).clip(lower_bound=1)
    with_count = rows.with_columns(
        sessions_cnt=pl.when(drawn.uniform() < active).then(count).otherwise(0)
    )

    def amount(name: str, sigma: float) -> pl.Expr:
        """So much of each session, added up."""
        each = (pl.col(name) + drawn.normal() * sigma).exp()
        return (pl.col("sessions_cnt") * each).floor().cast(pl.Int64)

    parts = {
        name: pl.when(drawn.uniform() < often)
        .then((pl.col("sessions_cnt") * (drawn.uniform() * 2 * part)).ceil().cast(pl.Int64))
        .otherwise(0)
        for name, (often, part) in _PARTS.items()
    }
    minute = (pl.col("sessions_cnt") * (0.1 + drawn.uniform() * 0.4)).ceil().cast(pl.Int64)
    return with_count.with_columns(
        bytes_sent_sum=amount("size", 1.0),
        bytes_recv_sum=amount("reply", 1.0),
        duration_us_sum=amount("time", 1.0),
        max_sessions_per_minute=minute,
        **parts,
    )


_ADDED: Final = ("sessions_cnt", "bytes_sent_sum", "bytes_recv_sum", "duration_us_sum", *_PARTS)


def windows(of_slices: pl.DataFrame, plan: WindowPlan, date: int) -> pl.DataFrame:
    """Make the windows that end in a date, in the columns of `fg_a`. `of_slices`: from `slices`."""
    made = [_label(of_slices, plan, label, date) for label in plan.labels]
    return pl.concat(made).select(plan.fg_a.columns[n].name for n in range(len(plan.fg_a.columns)))


def _label(
    of_slices: pl.DataFrame, plan: WindowPlan, label: WindowLabel, date: int
) -> pl.DataFrame:
    count = label.minutes // 15
    every = label.every // 15
    added = [
        (pl.col(name).cum_sum() - pl.col(name).cum_sum().shift(count, fill_value=0)).alias(name)
        for name in _ADDED
    ]
    sums = (
        of_slices.lazy()
        .with_columns(*added, pl.col("max_sessions_per_minute").rolling_max(count, min_samples=1))
        .filter((pl.col("slice") >= SLICES) & ((pl.col("slice") + 1) % every == 0))
        .filter(pl.col("sessions_cnt") > 0)
        .collect()
    )
    ends = (pl.col("slice") + 1 - SLICES) * _SLICE_US + day_start(date)
    rows = _more(sums.with_columns(window_end_ts=ends), label, date * 10 + label.minutes % 7)
    for formula in FORMULAS:
        rows = rows.with_columns(compile_expr(formula.value).alias(formula.name))
    constants = []
    for end in rows.get_column("window_end_ts").unique().sort():
        facts = plan.constants(label, end, count, _KNOWN)
        constants.append({**facts, **partition_of(end)})
    same = pl.DataFrame(constants)
    whole = rows.lazy().join(same.lazy(), on="window_end_ts")
    return whole.select(map(_held, plan.fg_a.columns)).collect()


def _more(sums: pl.DataFrame, label: WindowLabel, seed: int) -> pl.DataFrame:
    """The other columns of windows, and what formulas are made of."""
    drawn = Drawn(seed)
    sessions = pl.col("sessions_cnt")
    outbound = pl.col("role") == "outbound"

    def whole(value: pl.Expr, least: int = 0) -> pl.Expr:
        return value.floor().cast(pl.Int64).clip(lower_bound=least)

    def some(often: float, value: pl.Expr) -> pl.Expr:
        return pl.when(drawn.uniform() < often).then(whole(value, 1)).otherwise(0)

    def parted(name: str, middle: float, sigma: float) -> list[pl.Expr]:
        """Percentiles, as histograms give them."""
        offsets = {"p25": -0.8, "p50": 0.0, "p75": 0.8, "p95": 1.7, "p99": 2.4}
        shift = drawn.normal() * sigma
        values = {
            part: whole((pl.lit(middle) + offset + shift + pl.col("spread")).exp())
            for part, offset in offsets.items()
        }
        return [
            compile_expr(bucket_middle(bucket_of(col("x"))), {"x": value}).alias(f"{name}_{part}")
            for part, value in values.items()
        ]

    steady = math.sqrt(15 / label.minutes)

    def mixed(low: float, high: float) -> pl.Expr:
        """A part of a whole: each host has a mix of its own, the longer a window, the nearer is it to that."""
        around = pl.col("mix") + drawn.normal() * 0.15 * steady
        return low + around.clip(0.0, 1.0) * (high - low)

    power = (sessions.log() * 0.6 + pl.col("spread") + drawn.normal() * 0.15 * steady).exp()
    peers = sums.with_columns(peer_ip_nunique=pl.min_horizontal(whole(power, 1), sessions))
    peer = pl.col("peer_ip_nunique")
    day_only = pl.lit(label.is_day)
    first = peers.with_columns(
        pl.min_horizontal(
            whole((peer.log() * 0.6 + drawn.normal() * 0.2).exp(), 1), sessions
        ).alias("peer_port_nunique"),
        whole((peer.log() * 0.8 + drawn.normal() * 0.1).exp(), 1).alias("peer_segment_nunique"),
        whole(peer * mixed(0.5, 0.9)).alias("ext_peer_nunique"),
        *parted("bytes_sent", 7.0, 0.3),
        *parted("bytes_recv", 8.0, 0.3),
        *(one.cast(pl.Float64) / 1e6 for one in parted("duration", 14.0, 0.3)),
        packets_sent_sum=pl.col("bytes_sent_sum") // 700 + sessions,
        packets_recv_sum=pl.col("bytes_recv_sum") // 900 + sessions,
        allow_cnt=sessions - pl.col("drop_cnt").clip(upper_bound=sessions),
        traffic_cnt=sessions,
        tcp_cnt=(sessions - pl.col("udp_cnt") - pl.col("icmp_cnt")).clip(lower_bound=0),
        ext_bytes_sent_sum=whole(pl.col("bytes_sent_sum") * mixed(0.3, 0.9)),
        history_days=pl.lit(29),
        new=some(0.25, peer * 0.04 * (drawn.normal()).exp()),
        rare=some(0.5, peer * 0.1 * (drawn.normal() * 0.5).exp()),
    )
    attack = {
        "hscan_max_peers": some(0.3, (drawn.normal() * 0.7).exp()),
        "vscan_max_ports": some(0.3, (drawn.normal() * 0.3).exp()),
        "scan_targets_cnt": some(0.3, (drawn.normal() * 0.8).exp()),
        "detection:failed_peers": some(0.3, (drawn.normal() * 0.7).exp()),
        "detection:answering_peers": peer,
        "detection:new_admin_peers": some(0.01, (drawn.normal() * 0.7).exp()),
        "brute_max_sessions": some(0.15, (drawn.normal() + 1.0).exp()),
        "brute_even_pm": some(0.15, drawn.uniform() * 1000),
        "admin_peer_nunique": some(0.3, (drawn.normal() * 0.7).exp()),
        "long_pair_seconds_max": whole((drawn.normal() + 3.0 + math.log(label.minutes / 15)).exp()),
    }
    beacons = {
        name: pl.when(outbound & day_only).then(some(0.4, 300 + drawn.uniform() * 600))
        for name in ("beacon_score_max", "beacon_threat_max")
    }
    new, rare = pl.col("new"), pl.col("rare")
    return first.with_columns(
        *(pl.when(outbound).then(value).alias(name) for name, value in (attack | beacons).items()),
        peer_ip_entropy=peer.log(2) * mixed(0.6, 0.95),
        peer_port_entropy=pl.col("peer_port_nunique").log(2) * mixed(0.6, 0.95),
        peer_ip_top1_sessions_share=_top(mixed(0.2, 0.8), sessions),
        peer_port_top1_sessions_share=_top(mixed(0.2, 0.8), sessions),
        peer_ip_top1_bytes_share=_top(mixed(0.2, 0.8), pl.col("bytes_sent_sum")),
        peer_port_top1_bytes_share=_top(mixed(0.2, 0.8), pl.col("bytes_sent_sum")),
        int_peer_nunique=peer - pl.col("ext_peer_nunique"),
        **{
            "novelty:new_ext_bytes": pl.when(new > 0)
            .then(whole(pl.col("ext_bytes_sent_sum") * drawn.uniform() * 0.2))
            .otherwise(0),
            "novelty:new_pairs": new + some(0.1, (drawn.normal()).exp()),
            "novelty:new_peers": new,
            "novelty:new_ports": some(0.1, (drawn.normal() * 0.5).exp()),
            "novelty:new_segments": pl.when(new > 0)
            .then(some(0.5, (drawn.normal() * 0.4).exp()))
            .otherwise(0),
            "novelty:pairs": peer + 1,
            "novelty:rare_pairs": rare + some(0.1, (drawn.normal()).exp()),
            "novelty:rare_peers": rare,
            "novelty:rare_ports": some(0.2, (drawn.normal() * 0.5).exp()),
            "novelty:rarity_max": whole((drawn.uniform() * 6).floor() * 65_536),
            "novelty:rarity_sum": whole(peer * mixed(0.5, 1.5) * 65_536),
        },
    )


def _top(share: pl.Expr, total: pl.Expr) -> pl.Expr:
    """The share of the largest part of a total: a ratio of counts."""
    part = (total * share).ceil()
    return part / total.cast(pl.Float64)


_KNOWN: Final = HistorySource(0, None, ())
"""A history that is known, of no days."""

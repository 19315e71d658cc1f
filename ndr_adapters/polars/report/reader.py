"""Reads what a report shows of an output of deltas and of the features that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from ndr_adapters.polars.report.beacons import RegularPairs
from ndr_adapters.polars.report.comparisons import read_comparisons
from ndr_adapters.polars.report.deltas import DeltaReader, PairReader
from ndr_adapters.polars.report.outputs import OfVersion
from ndr_adapters.polars.report.windows import WindowReader
from ndr_core.baselines.tables import BASELINE
from ndr_core.correlations.tables import FG_C
from ndr_core.deltas.tables import DELTA
from ndr_core.errors import UsageError
from ndr_core.features.coverage import look_at_deltas, runs_of
from ndr_core.features.networks import Networks
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.published import FollowedOutput
from ndr_core.report.choice import Chosen, choose_hosts
from ndr_core.report.content import (
    BEACONS,
    HOURS,
    PEERS,
    SLICES,
    STARTS,
    FeatureFacts,
    HostDetail,
    Ranking,
    Report,
    latest,
    meaning_of_runs,
    newest_version,
)
from ndr_core.report.listing import Listing
from ndr_core.report.quality import Quality, Run, quality_of
from ndr_core.report.span import Span, seconds, span_of
from ndr_core.report.usual import Comparisons, windows_of_host
from ndr_core.tables.slices import place_us
from ndr_core.times import HOUR_US, TIME_LIMIT_US
from ndr_core.windows.tables import FG_A


@frozen
class Asked:
    """What a user wants to see."""

    since: int | None = None
    until: int | None = None
    """Bounds of the time, us; as `span_of`."""
    hosts: tuple[str, ...] = ()
    """Hosts to show in detail, whatever their place."""
    top: int = 10
    """Hosts of each ranking."""


def read_report(
    deltas: FollowedOutput, features: FollowedOutput, asked: Asked, *, must_have_features: bool
) -> Report:
    """Read what a report shows.

    `must_have_features`: whether an output of features without any run is an error. Raises UsageError for an output
    without any run, NdrError where manifests or files are damaged.
    """
    manifests = [one for one in deltas.manifests(None, None) if DELTA in one.columns]
    if not manifests:
        raise UsageError(f"{deltas.root}: holds no published run")
    of_features = features.manifests(None, None)
    if must_have_features and not of_features:
        raise UsageError(
            f"{features.root}: holds no published run of features; build some with `ndr features run`, or leave out "
            "--features"
        )
    version, others = newest_version(manifests)
    own = [one for one in manifests if one.facts.feature_spec_version == version]
    published = look_at_deltas(deltas, version, 0, TIME_LIMIT_US)
    starts = published.published()
    span = span_of(starts, published.grid, asked.since, asked.until)
    empty = Report(
        root=deltas.root,
        version=version,
        other_versions=others,
        published_at=max(latest(own), latest(of_features)),
        span=span,
        quality=_quality(own, span),
        slices=Listing.of(SLICES, ()),
        hosts=0,
    )
    if span is None:
        return empty
    reader = DeltaReader(OfVersion(deltas, version), span)
    hosts = reader.count_hosts()
    found = evolve(empty, hosts=hosts, slices=reader.slices(_within(starts, span)))
    if hosts == 0:
        return found
    return _Hosts(reader, _features(features, of_features, span), asked).added_to(found)


@frozen
class _Features:
    """The features of one feature_spec_version, and what their runs agree in."""

    output: OfVersion
    windows: WindowReader
    networks: Networks
    zone: str


def _features(
    features: FollowedOutput, manifests: Sequence[Manifest], span: Span
) -> _Features | None:
    tables = {FG_A, FG_C, BASELINE.name}
    known = [one for one in manifests if not tables.isdisjoint(one.columns)]
    if not known:
        return None
    version, _ = newest_version(known)
    own = [one for one in known if one.facts.feature_spec_version == version]
    internal = meaning_of_runs(own, "networks.internal") or ()
    segments = meaning_of_runs(own, "networks.segments") or {}
    networks = Networks(tuple(internal), {name: tuple(cidrs) for name, cidrs in segments.items()})
    calendar = meaning_of_runs(own, "calendar") or {}
    output = OfVersion(features, version)
    return _Features(output, WindowReader.of(output, span), networks, calendar.get("zone", "UTC"))


@frozen
class _Hosts:
    """Reads what is shown of hosts."""

    deltas: DeltaReader
    features: _Features | None
    asked: Asked

    def added_to(self, report: Report) -> Report:
        """Add the rankings of hosts, and the details of the chosen ones."""
        rankings = self._rankings()
        chosen = choose_hosts(self.asked.hosts, {one.name: one.hosts for one in rankings})
        names = tuple(one.host for one in chosen)
        hours = self.deltas.span.last_hours()
        ends = Span(hours[0], hours[-1] + HOUR_US)
        windows: Mapping[str, list[dict[str, Any]]] = {}
        compared: list[dict[str, Any]] = []
        comparisons = Comparisons({}, {}, Networks())
        horizon = None
        regular = RegularPairs()
        facts = None
        if self.features is not None:
            reader, output = self.features.windows, self.features.output
            if reader.labels:
                windows = reader.windows(names, ends)
                compared = reader.compared(names, ends, self.features.zone)
                horizon, comparisons = read_comparisons(
                    output, compared, reader.metrics, self.features.networks
                )
            regular = RegularPairs.read(output, self.deltas.span, names)
            has_beacons = regular.end is not None
            facts = FeatureFacts(output.root, output.version, reader.labels, horizon, has_beacons)
        pairs = PairReader(self.deltas.output, Span(hours[0], self.deltas.span.end), names)
        peers = pairs.peers()
        starts = pairs.starts(regular.end or self.deltas.span.end, regular.peers)
        metrics = () if self.features is None else self.features.windows.metrics
        details = tuple(
            HostDetail(
                one,
                windows_of_host(windows.get(one.host, ()), metrics, comparisons),
                peers.get(one.host, Listing.of(PEERS, ())),
                regular.listings.get(one.host, Listing.of(BEACONS, ())),
                starts.get(one.host, Listing.of(STARTS, ())),
            )
            for one in chosen
        )
        return evolve(
            report,
            rankings=rankings,
            hours=self._hours(chosen, hours, comparisons),
            details=details,
            features=facts,
        )

    def _rankings(self) -> tuple[Ranking, ...]:
        of_deltas = self.deltas.rankings(self.asked.top)
        if self.features is None or not self.features.windows.labels:
            return of_deltas
        return (*self.features.windows.rankings(self.asked.top), *of_deltas)

    def _hours(
        self, chosen: Sequence[Chosen], hours: Sequence[int], comparisons: Comparisons
    ) -> Listing:
        names = [one.host for one in chosen]
        sums = self.deltas.hours(names, hours)
        strength: dict[tuple[str, int], float] = {}
        for (host, _, end), row in comparisons.rows.items():
            value = row.get("anomaly_strength")
            # The hour in which the window ends; of longer ones the hours before are left out.
            if value is not None:
                place = (host, (end - 1) // HOUR_US * HOUR_US)
                strength[place] = max(value, strength.get(place, 0.0))
        rows = (
            (
                host,
                seconds(hour),
                # What is not counted is not known.
                *(row.get(name) if row else 0 for name in ("sessions_cnt", "bytes_sent_sum")),
                None if value is None else round(value, 3),
            )
            for host in names
            for hour in hours
            for row, value in [(sums.get((host, hour)), strength.get((host, hour)))]
            if row is not None or value is not None
        )
        return Listing.of(HOURS, rows)


def _quality(manifests: Iterable[Manifest], span: Span | None) -> Quality:
    """What became of the records of the runs whose time touches the span."""
    if span is None:
        return quality_of(())
    found = []
    for manifest in manifests:
        starts: dict[str, list[int]] = {}
        for one in manifest.contributions:
            starts.setdefault(f"{one.job_name}/{one.mini_batch_id}", []).append(place_us(one.slice))
        for facts in runs_of(manifest):
            if facts.report is None:
                continue
            own = starts.get(f"{facts.job_name}/{facts.mini_batch_id}", [])
            if facts.bounds is not None:
                run = Run(facts.bounds.start, facts.bounds.end, facts.report)
            elif own:
                run = Run(min(own), max(own) + 1, facts.report)
            else:
                continue
            if run.start < span.end and span.start < run.end:
                found.append(run)
    return quality_of(sorted(found, key=lambda run: (run.start, run.end)))


def _within(starts: Iterable[int], span: Span) -> list[int]:
    return [start for start in starts if span.start <= start < span.end]

"""All that a report shows of an output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from ndr_core.publishing.manifest import Manifest
from ndr_core.report.choice import Chosen
from ndr_core.report.listing import Column, Kind, Listing
from ndr_core.report.quality import Quality
from ndr_core.report.span import Span
from ndr_core.report.usual import HostWindows
from ndr_core.windows.labels import parse_minutes

SLICES: Final = (
    Column("start", "from (UTC)", Kind.TIME),
    Column("end", "to (UTC)", Kind.TIME),
    Column("sessions", "sessions"),
    Column("sent", "bytes sent", Kind.BYTES),
    Column("received", "bytes received", Kind.BYTES),
)
"""Of a part of time: null where none of its slices is published."""
HOURS: Final = (
    Column("host", "host", Kind.TEXT),
    Column("start", "hour (UTC)", Kind.TIME),
    Column("sessions", "sessions"),
    Column("sent", "bytes sent", Kind.BYTES),
    Column("anomaly", "anomaly_strength", Kind.NUMBER),
)
PEERS: Final = (
    Column("role", "role of the host", Kind.TEXT),
    Column("peer", "peer", Kind.TEXT),
    Column("port", "port", Kind.TEXT),
    Column("sessions", "sessions"),
    Column("sent", "bytes sent", Kind.BYTES),
    Column("received", "bytes received", Kind.BYTES),
    Column("last", "last end (UTC)", Kind.TIME),
)
BEACONS: Final = (
    Column("peer", "peer", Kind.TEXT),
    Column("port", "port", Kind.TEXT),
    Column("end", "day until (UTC)", Kind.TIME),
    Column("score", "beacon_score"),
    Column("threat", "beacon_threat"),
    Column("period", "period, s"),
    Column("sessions", "sessions"),
    Column("unanswered", "unanswered of 1,000"),
    Column("hosts", "hosts with this peer"),
    Column("age", "days known"),
)
STARTS: Final = (
    Column("pair", "peer and port", Kind.TEXT),
    Column("minute", "minute (UTC)", Kind.TIME),
    Column("sessions", "sessions that began"),
)


@frozen
class Ranking:
    """The hosts that come first by one number."""

    name: str
    about: str
    most: float
    """What its meter is full at."""
    listing: Listing
    """The host in the first column, the number in the second."""
    is_score: bool = False
    """Whether it is a score of windows, and no sum."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts in their order."""
        return tuple(row[0] for row in self.listing.rows)


@frozen
class HostDetail:
    """What is shown of a chosen host."""

    chosen: Chosen
    windows: HostWindows
    peers: Listing
    beacons: Listing
    starts: Listing
    """Of some pairs, by minute: of regular ones, else of those with most sessions. A day, the last one."""

    def to_plain(self) -> dict[str, Any]:
        """Give JSON-ready data."""
        return {
            "reasons": list(self.chosen.reasons),
            "windows": self.windows.to_plain(),
            # The columns are the same for all hosts.
            "peers": self.peers.to_plain()["rows"],
            "beacons": self.beacons.to_plain()["rows"],
            "starts": self.starts.to_plain()["rows"],
        }


@frozen
class FeatureFacts:
    """Which features there are, and which of them are shown."""

    root: str
    version: str
    labels: tuple[str, ...] = ()
    """Windows that are looked at, the shortest first; none where no window is published."""
    horizon: str | None = None
    """Baselines that the plots of a host show; None without correlations."""
    has_beacons: bool = False


@frozen
class Report:
    """What a report shows."""

    root: str
    version: str
    """The feature_spec_version of the deltas that are shown."""
    other_versions: tuple[str, ...]
    published_at: int
    """When the last run of what is shown was published, us."""
    span: Span | None
    """None where no slice is published in the time that was asked for."""
    quality: Quality
    slices: Listing
    hosts: int
    """Hosts with rows in this time."""
    rankings: tuple[Ranking, ...] = ()
    hours: Listing = field(factory=lambda: Listing.of(HOURS, ()))
    details: tuple[HostDetail, ...] = ()
    features: FeatureFacts | None = None
    """None where no features are published."""

    @property
    def window_minutes(self) -> int | None:
        """Length of the windows that are shown of a host; None without any."""
        if self.features is None or not self.features.labels:
            return None
        return parse_minutes(self.features.labels[0])

    @property
    def is_empty(self) -> bool:
        """Whether there is no host to show."""
        return self.hosts == 0


def newest_version(manifests: Iterable[Manifest]) -> tuple[str, tuple[str, ...]]:
    """Give the feature_spec_version of the run that was published last, and the others, sorted.

    `manifests`: at least one.
    """
    known = sorted(manifests, key=lambda one: one.order)
    newest = known[-1].facts.feature_spec_version
    others = {one.facts.feature_spec_version for one in known} - {newest}
    return newest, tuple(sorted(others))


def latest(manifests: Iterable[Manifest]) -> int:
    """Give the moment of the last publication, us; 0 without any run."""
    return max((one.published_at for one in manifests), default=0)


def meaning_of_runs(manifests: Iterable[Manifest], key: str) -> Any:
    """Give the value of a key in which all runs agree, from the first run that names it; None where none does."""
    known: Iterable[Mapping[str, Any]] = (one.facts.meaning for one in manifests)
    return next((meaning[key] for meaning in known if key in meaning), None)

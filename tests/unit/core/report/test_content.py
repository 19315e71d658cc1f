"""What a report holds of an output, and what it says of itself."""

from __future__ import annotations

from attrs import evolve

from ndr_core.report.choice import Chosen
from ndr_core.report.content import (
    BEACONS,
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
from ndr_core.report.listing import Column, Kind, Listing
from ndr_core.report.quality import quality_of
from ndr_core.report.span import Span
from ndr_core.report.usual import HostWindows
from tests.unit.core.publishing.makers import published

REPORT = Report(
    root="out",
    version="v1",
    other_versions=(),
    published_at=1,
    span=Span(0, 1),
    quality=quality_of(()),
    slices=Listing.of(SLICES, ()),
    hosts=1,
)


def test_a_report_without_hosts_is_empty() -> None:
    assert not REPORT.is_empty
    assert evolve(REPORT, hosts=0).is_empty


def test_the_windows_of_a_host_are_the_shortest_that_are_shown() -> None:
    features = FeatureFacts("features", "v1", ("w_1h", "w_24h"))

    assert REPORT.window_minutes is None
    assert evolve(REPORT, features=FeatureFacts("features", "v1")).window_minutes is None
    assert evolve(REPORT, features=features).window_minutes == 60


def test_a_ranking_names_its_hosts_in_order() -> None:
    columns = (Column("host", "host", Kind.TEXT), Column("sessions", "sessions"))

    ranking = Ranking("sessions", "", 2.0, Listing.of(columns, [("b", 2), ("a", 1)]))

    assert ranking.hosts == ("b", "a")


def test_a_detail_is_plain_data() -> None:
    starts = Listing.of(STARTS, [("192.0.2.1, port 443", 60, 1)])
    detail = HostDetail(
        Chosen("10.0.0.1", ("asked for",)),
        HostWindows((), {}),
        Listing.of(PEERS, ()),
        Listing.of(BEACONS, ()),
        starts,
    )

    assert detail.to_plain() == {
        "reasons": ["asked for"],
        "windows": {"bands": [], "metrics": {}},
        "peers": [],
        "beacons": [],
        "starts": [["192.0.2.1, port 443", 60, 1]],
    }


def test_the_version_of_the_last_publication_is_shown() -> None:
    runs = [
        published(moment, 0, feature_spec_version=version, mini_batch_id=str(moment))
        for moment, version in ((3, "v2"), (1, "v1"), (2, "v3"))
    ]

    assert newest_version(runs) == ("v2", ("v1", "v3"))
    assert latest(runs) == 3
    assert latest([]) == 0


def test_what_runs_agree_in_is_taken_from_the_first_that_says_it() -> None:
    silent, telling = published(1, 0), published(2, 0, meaning={"calendar": {"zone": "UTC"}})

    assert meaning_of_runs([silent, telling], "calendar") == {"zone": "UTC"}
    assert meaning_of_runs([silent], "calendar") is None

"""A page stays small enough to be mailed, however many hosts there are, and says who is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.report.reader import Asked, read_report
from ndr_adapters.report.page import MOST_BYTES, render
from ndr_core.report.choice import Chosen
from ndr_core.report.content import BEACONS, PEERS, SLICES, STARTS, HostDetail, Report
from ndr_core.report.listing import Listing
from ndr_core.report.quality import quality_of
from ndr_core.report.span import Span
from ndr_core.report.usual import HostWindows
from tests.bench.report_of_many import build
from tests.soak import only_in_soak

WITHOUT_SPARK = True

HOSTS = 40
ROWS = 15_000


def large_detail(number: int) -> HostDetail:
    """Some 350 kB of JSON."""
    rows = [(second, 1_234_567, 0.12, None) for second in range(ROWS)]
    return HostDetail(
        Chosen(f"10.0.0.{number}", ("asked for",)),
        HostWindows((), {"outbound": {"sessions_cnt": tuple(rows)}}),
        Listing.of(PEERS, ()),
        Listing.of(BEACONS, ()),
        Listing.of(STARTS, ()),
    )


def hosts_in(page: str) -> list[str]:
    """The hosts that a page has in detail."""
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return list(json.loads(found[1])["hosts"])


def test_details_that_do_not_fit_are_left_out_the_last_ones_first() -> None:
    report = Report(
        root="out",
        version="v1",
        other_versions=("v0",),
        published_at=0,
        span=Span(0, 1),
        quality=quality_of(()),
        slices=Listing.of(SLICES, ()),
        hosts=50_000,
        details=tuple(map(large_detail, range(HOSTS))),
    )

    page = render(report)

    hosts = hosts_in(page)
    assert MOST_BYTES - 400_000 < len(page.encode()) <= MOST_BYTES
    assert hosts == [f"10.0.0.{number}" for number in range(len(hosts))]
    assert 10 < len(hosts) < HOSTS
    assert f"{len(hosts)} of 50,000 hosts are shown in detail" in page
    assert f"{50_000 - len(hosts):,} hosts are left out" in page
    assert "Rows of other versions are left out: v0." in page


@only_in_soak
@pytest.mark.parametrize("count", [2_000])
def test_many_hosts_make_a_page_of_the_first_ones(count: int, tmp_path: Path) -> None:
    build(tmp_path / "out", count)
    deltas, features = open_output(tmp_path / "out"), open_output(tmp_path / "out" / "features")

    report = read_report(deltas, features, Asked(), must_have_features=True)

    page = render(report)
    assert report.hosts == count
    assert len(page.encode()) < MOST_BYTES
    assert len(hosts_in(page)) == 40
    assert f"{count - 40:,} hosts are left out" in page

"""An output of ten days with features, for reports: a leak, a beacon, and records of somebody hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from tests.e2e.cli import ndr, run, write_spec
from tests.makers import flow, write_batch

HOST: Final = "10.0.0.1"
CALLER: Final = "10.0.0.2"
LEAK_PEER: Final = "203.0.113.99"
BEACON_PEER: Final = "198.51.100.7"
HOSTILE: Final = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
"""What a record may say in a field that is copied to a report of quality."""
FIRST_DAY: Final = 4
LAST_DAY: Final = 13
STARTS: Final = 24
"""Sessions of the beacon: one each hour."""
SPEC: Final = {
    "kind": "fg_a",
    "project_name": "test",
    "windows": {"labels": {"w_8h": "8h", "w_24h": "24h"}},
    # All hours of all days are of one band, so that three windows a day make enough samples in a week.
    "calendar": {"work_from": 0, "work_until": 24, "off_until": 24, "weekend_days": []},
}
_USUAL: Final = 1_000_000
_LEAK: Final = 500_000_000


def session(
    host: str, peer: str, day: int, hour: int, minute: int, sent: int, **more: Any
) -> dict[str, Any]:
    start = f"2025-03-{day:02}T{hour:02}:{minute:02}:00Z"
    return flow(
        source_ip=host,
        destination_ip=peer,
        source_bytes=sent,
        event_start=start,
        event_end=start,
        **more,
    )


def ten_days() -> list[Any]:
    """Each window as the one before, a leak and a beacon on the last day, and two records that are hostile."""
    usual = [
        session(HOST, "203.0.113.7", day, hour, 30, _USUAL)
        for day in range(FIRST_DAY, LAST_DAY + 1)
        for hour in (3, 10, 19)
    ]
    beacon = [session(CALLER, BEACON_PEER, LAST_DAY, number, 15, 400) for number in range(STARTS)]
    leak = session(HOST, LEAK_PEER, LAST_DAY, 10, 30, _LEAK)
    odd = session(HOST, "203.0.113.7", LAST_DAY, 11, 0, 10, event_action=HOSTILE)
    return [*usual, *beacon, leak, odd, HOSTILE]


@frozen
class Place:
    """A folder with an output, and reports of it."""

    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out <b>&amp;"

    @property
    def page(self) -> Path:
        """The report of all that there is."""
        return self.folder / "report.html"

    @property
    def spec(self) -> Path:
        """The JobSpec of the windows."""
        path = self.folder / "windows.json"
        path.write_text(json.dumps(SPEC))
        return path

    def backfill(self, *arguments: object) -> None:
        places = ("--spec", self.spec, "-o", self.output, "--quiet")
        answer = ndr("features", "backfill", *arguments, *places)
        assert answer.exit_code == 0, answer.errors

    def report(self, page: Path, *arguments: object) -> str:
        """Write a report. Gives its text."""
        answer = ndr("report", self.output, "-o", page, *arguments)
        assert answer.exit_code == 0, answer.errors
        return page.read_text()


def build_deltas(folder: Path) -> Place:
    """Build the output without features."""
    place = Place(folder)
    batch = write_batch(folder / "batch", [ten_days()])
    bounds = ("--slice-start", "2025-03-04T00:00:00Z", "--slice-end", "2025-03-14T00:00:00Z")
    answer = run(write_spec(folder / "job.json"), batch, place.output, *bounds)
    assert answer.exit_code == 0, answer.errors
    return place


def build_features(place: Place) -> None:
    """Add history, windows, baselines, and the correlations of the last day."""
    for job, first, last in (
        ("history", "2025-03-04", "2025-03-12"),
        ("fg-a", "2025-03-04T00:00:00Z", "2025-03-14T00:00:00Z"),
        ("fg-b", "2025-03-04", "2025-03-12"),
        ("fg-c", "2025-03-13T00:00:00Z", "2025-03-14T00:00:00Z"),
    ):
        place.backfill("--job", job, "--from", first, "--to", last)

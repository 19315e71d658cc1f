"""How a run's log says how far its build is."""

from __future__ import annotations

import io
import json
import logging

import pytest

from ndr_adapters.cloudwatch.json_log import JsonLog
from ndr_core.progress import Progress
from ndr_entrypoints.run_log import LineLog, progress_text

WITHOUT_SPARK = True


def at(seconds: float, done: int = 30, total: int = 100) -> Progress:
    return Progress(done, total, 5000, seconds, seconds, 60.0)


def test_lines_come_every_half_minute_of_a_build(caplog: pytest.LogCaptureFixture) -> None:
    log = LineLog(logging.getLogger("test"))
    with caplog.at_level(logging.INFO):
        for second in range(1, 65):
            log.progress(at(second))

    assert [record.getMessage() for record in caplog.records] == [
        "building deltas: 30 of 100 B (30 %), 167 records/s, 1 min 00 s left",
        "building deltas: 30 of 100 B (30 %), 83 records/s, 1 min 00 s left",
    ]


def test_a_deployed_job_writes_a_json_line_every_half_minute() -> None:
    stream = io.StringIO()
    log = JsonLog({"run_id": "r"}, stream)
    for second in range(1, 65):
        log.progress(at(second))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert len(lines) == 2
    assert lines[0] == lines[0] | {
        "run_id": "r",
        "stage": "build",
        "bytes_read": 30,
        "bytes": 100,
        "records": 5000,
        "records_per_second": 167,
        "seconds_left": 60,
    }


@pytest.mark.parametrize(
    ("total", "seconds", "text"),
    [
        (4_000_000_000, 25.2, "1.2 of 4.0 GB (30 %), 100 records/s, 25 s left"),
        (4_000_000, 200, "1.2 of 4.0 MB (30 %), 100 records/s, 3 min 20 s left"),
        (4_000, 3_900, "1.2 of 4.0 kB (30 %), 100 records/s, 1 h 05 min left"),
        (40, None, "12 of 40 B (30 %), 100 records/s"),
    ],
)
def test_progress_reads_as_people_read_it(total: int, seconds: float | None, text: str) -> None:
    assert progress_text(Progress(total * 3 // 10, total, 1000, 10, 10, seconds)) == text

"""How far a build is: what a meter counts, what time it leaves, and how often a log says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from attrs import define

from ndr_core import progress
from ndr_core.progress import Every, Meter, Progress, progress_reported


@define
class Clock:
    """A clock that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def at(seconds: float, done: int = 30, total: int = 100) -> Progress:
    return Progress(done, total, 5000, seconds, seconds, 60.0)


def test_a_meter_tells_share_rate_and_time_left_of_the_build_so_far() -> None:
    clock = Clock()
    meter = Meter(4_000, reading_share=1.0, clock=clock)
    meter.add(packed_bytes=1_000, records=50)
    clock.now += 10

    found = meter.progress()

    assert (found.share, found.records_per_second, found.seconds_left) == (0.25, 5.0, 30.0)


def test_time_left_is_that_of_the_whole_build_of_which_reading_is_a_part() -> None:
    clock = Clock()
    meter = Meter(100, reading_share=0.5, clock=clock)
    meter.add(packed_bytes=50)
    clock.now += 10
    assert meter.progress().seconds_left == 30
    clock.now += 10
    meter.add(packed_bytes=50, records=400)
    clock.now += 5

    found = meter.progress()

    assert (found.share, found.seconds_left, found.records_per_second) == (1.0, 15, 20)


def test_a_build_that_takes_longer_than_thought_says_no_time() -> None:
    clock = Clock()
    meter = Meter(100, reading_share=0.5, clock=clock)
    clock.now += 10
    meter.add(packed_bytes=100)
    clock.now += 11

    assert meter.progress().seconds_left is None


def test_before_anything_is_read_no_time_is_said() -> None:
    clock = Clock()
    meter = Meter(100, clock=clock)
    clock.now += 5

    assert meter.progress() == Progress(0, 100, 0, 5, 5, None)


def test_input_that_is_read_twice_counts_once() -> None:
    meter = Meter(100)
    meter.add(packed_bytes=90)
    meter.add(packed_bytes=90)

    assert (meter.progress().done_bytes, meter.progress().share) == (100, 1.0)


def test_a_batch_without_bytes_is_all_read() -> None:
    clock = Clock()
    meter = Meter(0, clock=clock)
    clock.now += 5

    found = meter.progress()

    assert (found.share, found.records_per_second, found.seconds_left) == (1.0, 0.0, None)


@pytest.mark.parametrize(
    ("blocks", "lines"),
    [([b"a\nb\n", b"c\n"], 3), ([b"a\nb\n", b"c"], 3), ([b"\n\n"], 2), ([b"a"], 1), ([], 0)],
)
def test_the_last_line_counts_with_or_without_its_line_feed(
    blocks: list[bytes], lines: int
) -> None:
    def read(_: str, packed: Callable[[int], None]) -> Iterator[bytes]:
        for block in blocks:
            packed(7)
            yield block

    meter = Meter(1_000)

    assert list(meter.metered(read)("file")) == blocks
    assert meter.progress().records == lines
    assert meter.progress().done_bytes == 7 * len(blocks)


def test_a_log_that_fails_does_not_fail_the_build() -> None:
    def tell(_: Progress) -> None:
        raise OSError("the log is gone")

    with progress_reported(Meter(), tell):
        pass


def test_nothing_more_is_told_when_the_build_failed() -> None:
    told: list[Progress] = []
    with pytest.raises(ValueError, match="broken"), progress_reported(Meter(), told.append):
        raise ValueError("broken")

    assert told == []


def test_a_line_lets_through_each_half_minute_and_no_sooner() -> None:
    every = Every(30)

    due = [second for second in range(100) if every.lets_through(second)]

    assert due == [30, 60, 90]


def test_a_build_that_begins_again_is_told_again() -> None:
    every = Every(30)

    assert [every.lets_through(now) for now in (45, 50, 2, 29, 31)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_what_is_read_elsewhere_is_looked_up_and_replaces_the_count() -> None:
    meter = Meter(100)
    looks = iter([(10, 1), (60, 6), (130, 13)])
    meter.look = lambda: meter.set(*next(looks))

    found = [meter.progress() for _ in range(3)]

    assert [(one.done_bytes, one.records) for one in found] == [(10, 1), (60, 6), (100, 13)]


@pytest.mark.parametrize(("counted", "records"), [(None, 4), (7, 7)])
def test_all_input_can_be_counted_as_read_at_once(counted: int | None, records: int) -> None:
    meter = Meter(100)
    meter.add(packed_bytes=10, records=4)

    meter.all_read(counted)

    assert (meter.progress().share, meter.progress().records) == (1.0, records)


def test_time_after_all_is_read_does_not_lower_the_rate() -> None:
    clock = Clock()
    meter = Meter(100, clock=clock)
    clock.now += 2
    meter.add(packed_bytes=100, records=10)
    clock.now += 8

    found = meter.progress()

    assert (found.records_per_second, found.reading_seconds, found.seconds) == (5.0, 2.0, 10.0)


def test_reports_come_while_the_build_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_REPORT_SECONDS", 0.001)
    heard = threading.Semaphore(0)

    with progress_reported(Meter(100), lambda _: heard.release()):
        assert heard.acquire(timeout=30)
        assert heard.acquire(timeout=30)

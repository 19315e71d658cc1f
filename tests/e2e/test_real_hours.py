"""A real day in 24 hourly files, as a job of each hour leaves them: nothing of it is lost or counted twice."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import ndr, rows, run, write_spec
from tests.soak import only_in_soak

WITHOUT_SPARK = True

Rows = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "job.json", input={"preset": "zeek"})


@pytest.fixture
def whole(zeek_day: Path, spec: Path, tmp_path: Path) -> Rows:
    """The tables of one run of the day."""
    done = run(spec, zeek_day, tmp_path / "whole", "--json").json()
    assert done["slices"] == 97
    return rows(tmp_path / "whole")


def hours(zeek_day: Path) -> list[Path]:
    found = sorted(zeek_day.glob("conn-*.gz"))
    assert len(found) == 24
    return found


def run_all(spec: Path, files: Iterable[Path], output: Path) -> None:
    for file in files:
        answer = run(spec, file, output)
        assert answer.exit_code == 0, answer.errors


def order_of(seed: int) -> Callable[[list[Path]], list[Path]]:
    def shuffled(files: list[Path]) -> list[Path]:
        order = [*files, *files[5:8]]  # three of them twice
        random.Random(seed).shuffle(order)
        return order

    return shuffled


@pytest.mark.parametrize(
    "order", [order_of(1), *(pytest.param(one, marks=only_in_soak) for one in (list, order_of(2)))]
)
def test_hourly_files_in_any_order_some_of_them_twice_are_the_day(
    zeek_day: Path,
    spec: Path,
    whole: Rows,
    tmp_path: Path,
    order: Callable[[list[Path]], list[Path]],
) -> None:
    run_all(spec, order(hours(zeek_day)), tmp_path / "hours")

    assert rows(tmp_path / "hours") == whole
    assert ndr("verify", tmp_path / "hours").exit_code == 0


@only_in_soak
def test_two_halves_of_each_file_as_two_sensors_are_the_day(
    zeek_day: Path, spec: Path, whole: Rows, tmp_path: Path
) -> None:
    for file in hours(zeek_day):
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        for sensor in range(2):
            place = tmp_path / f"sensor{sensor}" / file.name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(gzip.compress(b"".join(lines[sensor::2])))

    run_all(spec, sorted(tmp_path.glob("sensor?/*.gz")), tmp_path / "halves")

    assert rows(tmp_path / "halves") == whole


@only_in_soak
def test_the_day_is_the_same_once_it_is_compacted(
    zeek_day: Path, spec: Path, whole: Rows, tmp_path: Path
) -> None:
    run_all(spec, hours(zeek_day), tmp_path / "hours")

    answer = ndr("compact", tmp_path / "hours", "--before", "2024-04-21")

    assert answer.exit_code == 0, answer.errors
    assert rows(tmp_path / "hours") == whole
    assert ndr("verify", tmp_path / "hours").exit_code == 0

"""The timing of pairs is merged, read and compacted: histograms and sums add, and are null where one is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ndr_adapters.local.published import FolderTables
from ndr_adapters.polars.published import read_pairs
from ndr_core.deltas.timing import EARLY_START, TIMING_COLUMNS
from ndr_core.errors import SpecError
from tests.makers import flow, make_spec, write_batch
from tests.storages.folder_runs import compactor, publish_unbound

WITHOUT_SPARK = True

DAY = 86_400
TEN = 36_009
"""Seconds of a day, and of its first ten hours and 9 s."""
NAMES = [column.name for column in TIMING_COLUMNS]


def publish(folder: Path, name: str, *starts: str, **spec: Any) -> None:
    """Publish sessions that ended at 10:00:09, by when they began."""
    records = [
        flow(event_start=f"{start}Z", event_end="2025-03-01T10:00:09Z", source_bytes=number)
        for number, start in enumerate(starts)
    ]
    batch = write_batch(folder / name, [records])
    publish_unbound(batch, folder / "out", name, make_spec(**spec))


def outbound(output: Path) -> list[dict[str, Any]]:
    pairs = read_pairs(FolderTables(output)).filter(pl.col("role") == "outbound")
    return pairs.sort("feature_spec_version").collect().to_dicts()


def compact(output: Path) -> None:
    assert len(list(compactor(output).run(datetime(2025, 3, 3, tzinfo=UTC)))) == 1


def cells(*found: tuple[int, int]) -> list[dict[str, int]]:
    return [{"bucket": bucket, "count": count} for bucket, count in found]


@pytest.mark.parametrize("compacted", [False, True])
def test_what_several_batches_tell_of_a_pair_adds(tmp_path: Path, compacted: bool) -> None:
    publish(tmp_path, "one", "2025-03-01T10:00:00", "2025-03-01T09:59:59", "2025-02-01T00:00:00")
    publish(tmp_path, "other", "2025-03-01T10:00:07", "2025-03-01T10:00:00")
    publish(tmp_path, "third", "2025-02-03T00:00:00")
    if compacted:
        compact(tmp_path / "out")

    (row,) = outbound(tmp_path / "out")

    assert {name: row[name] for name in NAMES} == {
        "starts": cells((EARLY_START, 2), (-1, 1), (0, 2), (7, 1)),
        "bytes_sent_hist": cells((0, 3), (1, 2), (2, 1)),
        "unanswered_cnt": 0,
        "duration_s_sum": 9 + 10 + 28 * DAY + TEN + 2 + 9 + 26 * DAY + TEN,
    }


@pytest.mark.parametrize("compacted", [False, True])
def test_pairs_without_timing_are_read_without_it(tmp_path: Path, compacted: bool) -> None:
    for name in ("one", "other"):
        publish(tmp_path, name, "2025-03-01T10:00:00", pair={"timing": False})
    if compacted:
        compact(tmp_path / "out")

    (row,) = outbound(tmp_path / "out")

    assert row["sessions_cnt"] == 2
    assert not set(NAMES).intersection(row)


def test_rows_of_a_version_without_timing_have_null_beside_those_of_one_with_it(
    tmp_path: Path,
) -> None:
    for name in ("one", "other"):
        publish(tmp_path, f"{name}-1", "2025-03-01T10:00:00")
        untimed: dict[str, Any] = {"feature_spec_version": "v2", "pair": {"timing": False}}
        publish(tmp_path, f"{name}-2", "2025-03-01T10:00:00", **untimed)

    first, second = outbound(tmp_path / "out")

    assert first["starts"] == cells((0, 2))
    assert [second[name] for name in NAMES] == [None] * 4
    assert second["sessions_cnt"] == 2


def test_jobs_of_an_output_agree_whether_pairs_have_a_timing(tmp_path: Path) -> None:
    publish(tmp_path, "one", "2025-03-01T10:00:00")

    with pytest.raises(SpecError, match=r"^pair\.timing: is False here, but True in"):
        publish(tmp_path, "other", "2025-03-01T10:00:00", pair={"timing": False})

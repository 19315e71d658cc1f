"""A table that no module knows is published, read and merged as the delta table is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import evolve, frozen

from ndr_adapters.aws.clients import s3_client
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.outputs import keep_output, open_output
from ndr_adapters.polars import published as polars_published
from ndr_adapters.polars.scan import count_rows
from ndr_adapters.s3.sink import S3Writer
from ndr_core.errors import OverflowingColumnError
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.sink import Publication, Sink
from ndr_core.publishing.verify import verify
from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.merge import Row, merge_rows
from ndr_core.tables.slices import (
    DAY_COLUMNS,
    DAY_LEVELS,
    SLICE_COLUMNS,
    SliceBounds,
    day_path,
    partition_of,
    slice_path,
)
from ndr_core.tables.table import Table
from ndr_core.times import DAY_US, to_datetime
from tests.makers import us
from tests.storages.folder_runs import die_before, run_apart

TOY = Table(
    name="toy",
    keys=("sensor", "colour"),
    columns=(
        key_column("sensor", ColumnType.STRING, "which one"),
        key_column("colour", ColumnType.STRING, "of what"),
        OutputColumn("seen_cnt", ColumnType.INT64, Merge.SUM, "how often"),
        OutputColumn("largest", ColumnType.INT64, Merge.MAX, "the largest one"),
        *SLICE_COLUMNS,
    ),
)
TEN = us("2025-03-01T10:00:00Z")
SLICE = {"feature_spec_version": "v1", **partition_of(TEN)}

A: list[Row] = [
    {"sensor": "north", "colour": "red", "seen_cnt": 3, "largest": 7},
    {"sensor": "north", "colour": None, "seen_cnt": 1, "largest": 2},
]
B: list[Row] = [
    {"sensor": "north", "colour": "red", "seen_cnt": 4, "largest": 5},
    {"sensor": "south", "colour": "red", "seen_cnt": 1, "largest": 1},
]
MERGED: list[Row] = [
    {"sensor": "north", "colour": None, "seen_cnt": 1, "largest": 2, **SLICE},
    {"sensor": "north", "colour": "red", "seen_cnt": 7, "largest": 7, **SLICE},
    {"sensor": "south", "colour": "red", "seen_cnt": 1, "largest": 1, **SLICE},
]


@frozen
class Place:
    """An output in one of the storages."""

    address: str
    sink: Sink
    write: Callable[[str, bytes], object]
    """Writes a staged file, by its address."""


def place_in(folder: Path) -> Place:
    def write(address: str, content: bytes) -> None:
        Path(address).parent.mkdir(parents=True, exist_ok=True)
        Path(address).write_bytes(content)

    return Place(str(folder), FolderSink(folder), write)


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    return place_in(tmp_path / "out")


@pytest.fixture
def s3(bucket: str) -> Place:
    def write(address: str, content: bytes) -> None:
        place = S3Address.parse(address, "staged file")
        s3_client().put_object(Bucket=place.bucket, Key=place.key, Body=content)

    return Place(f"s3://{bucket}/out", S3Writer(s3_client(), S3Address(bucket, "out")), write)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def publish(place: Place, rows: list[dict[str, Any]], batch: str, start: int = TEN) -> Manifest:
    name = f"toy/{slice_path('v1', start)}/some.parquet"
    facts = RunFacts("test", "toys", "v1", "00", batch, "run", "hand", "test")
    staging = place.sink.open_staging("run", [TOY], print)
    parquet = BytesIO()
    pl.DataFrame(rows).write_parquet(parquet)
    place.write(f"{staging.root}/{name}", parquet.getvalue())
    manifest = staging.publish(Publication(facts, (TOY,), {name: len(rows)}))
    staging.close()
    return manifest


def read(reader: str, place: Place) -> list[Row]:
    published = open_output(place.address)
    if reader == "polars":
        return polars_published.read_table(published, "toy").collect().to_dicts()
    from ndr_adapters.spark.sql import published as spark_published
    from tests.support import spark_session

    table = spark_published.read_table(spark_session(), published, "toy")
    return [row.asDict() for row in table.collect()]


@pytest.mark.parametrize("reader", ["polars", "spark-sql"])
def test_rows_are_read_back_as_they_were_published_and_merge(place: Place, reader: str) -> None:
    publish(place, A, "a")

    found = read(reader, place)

    assert sorted(found, key=repr) == sorted(({**row, **SLICE} for row in A), key=repr)
    assert merge_rows([*found, *({**row, **SLICE} for row in B)], TOY) == MERGED


def test_batches_of_a_slice_add_their_rows_and_a_rerun_replaces_those_of_its_batch(
    place: Place,
) -> None:
    publish(place, A, "a")
    publish(place, A, "later", us("2025-03-01T10:15:00Z"))
    publish(place, B, "b")
    publish(place, A, "b")
    publish(place, B, "b")

    found = read("polars", place)

    ten = [row for row in found if row["mm"] == "00"]
    assert merge_rows(ten, TOY) == MERGED
    assert merge_rows([row for row in found if row["mm"] == "15"], TOY) == merge_rows(
        [{**row, **SLICE, "mm": "15"} for row in A], TOY
    )


def test_a_rerun_removes_the_rows_of_its_batch_from_a_slice_that_it_holds_no_more(
    place: Place,
) -> None:
    publish(place, A, "a")
    publish(place, B, "b")
    publish(place, A, "a", us("2025-03-01T10:15:00Z"))

    found = read("polars", place)

    assert sorted((row["mm"], row["sensor"]) for row in found) == [
        *(("00", "north"), ("00", "south"), ("15", "north"), ("15", "north")),
    ]


def test_a_manifest_counts_the_rows_of_a_table_that_has_no_roles(place: Place) -> None:
    manifest = publish(place, A, "a")

    assert manifest.tables == ("toy",)
    assert manifest.rows("toy") == {"all": len(A)}
    assert [f"feature_spec_version=v1/{path}" for path in manifest.slices()] == [
        slice_path("v1", TEN)
    ]
    assert manifest.facts.report is None


def test_a_sum_that_leaves_int64_names_column_and_row() -> None:
    rows = [{**A[0], **SLICE, "seen_cnt": 1 << 62}] * 2

    with pytest.raises(OverflowingColumnError, match=r"^seen_cnt: .* sensor north, colour red"):
        merge_rows(rows, TOY)


DAILY = Table(
    name="daily_toy",
    keys=("sensor", "side"),
    columns=(
        key_column("sensor", ColumnType.STRING, "which one"),
        OutputColumn("seen_cnt", ColumnType.INT64, Merge.SUM, "how often"),
        *DAY_COLUMNS,
        key_column("side", ColumnType.STRING, "which half of the table"),
    ),
    levels=(*DAY_LEVELS, "side"),
)
FIRST = us("2025-03-01T00:00:00Z")
SECOND = FIRST + DAY_US


@lru_cache
def parquet_of(seen: int) -> bytes:
    """A file of one row. A process that was forked takes it from here: Polars would hang there."""
    parquet = BytesIO()
    pl.DataFrame({"sensor": ["north"], "seen_cnt": [seen]}).write_parquet(parquet)
    return parquet.getvalue()


def publish_day(place: Place, day: int, seen: int) -> Manifest:
    """Publish a row of each half of the table of days."""
    batch = f"{to_datetime(day):%Y-%m-%d}"
    facts = RunFacts("test", "daily", "v1", "00", batch, "run", "hand", "test")
    facts = evolve(facts, bounds=SliceBounds(day, day + DAY_US))
    staging = place.sink.open_staging("run", [DAILY], print)
    rows = {}
    for side in ("left", "right"):
        name = f"daily_toy/{day_path('v1', day)}/side={side}/some.parquet"
        place.write(f"{staging.root}/{name}", parquet_of(seen))
        rows[name] = 1
    manifest = staging.publish(Publication(facts, (DAILY,), rows))
    staging.close()
    return manifest


def read_days(place: Place, since: int | None = None, until: int | None = None) -> list[Any]:
    """Date, half and count of each row of the days that start in the range."""
    bounds = [None if one is None else to_datetime(one) for one in (since, until)]
    rows = polars_published.read_table(
        open_output(place.address), "daily_toy", since=bounds[0], until=bounds[1]
    )
    return sorted((row["dt"], row["side"], row["seen_cnt"]) for row in rows.collect().to_dicts())


def test_a_rerun_of_a_day_replaces_its_rows_and_those_of_no_other_day(place: Place) -> None:
    publish_day(place, FIRST, 1)
    publish_day(place, SECOND, 2)

    manifest = publish_day(place, FIRST, 3)

    assert manifest.slices() == ["dt=2025-03-01"]
    assert manifest.rows("daily_toy") == {"left": 1, "right": 1}
    assert manifest.replaced is not None
    assert read_days(place) == [
        *(("2025-03-01", side, 3) for side in ("left", "right")),
        *(("2025-03-02", side, 2) for side in ("left", "right")),
    ]


def test_a_day_is_read_where_it_begins_in_the_range(place: Place) -> None:
    publish_day(place, FIRST, 1)
    publish_day(place, SECOND, 2)

    dates = [
        {date for date, _, _ in read_days(place, since, until)}
        for since, until in [
            (FIRST, SECOND),
            (FIRST, SECOND + 1),
            (FIRST + 1, None),
            (SECOND, SECOND + DAY_US),
            (None, FIRST),
        ]
    ]

    both = {"2025-03-01", "2025-03-02"}
    assert dates == [{"2025-03-01"}, both, {"2025-03-02"}, {"2025-03-02"}, set()]


@pytest.mark.parametrize("hours", [23, 24])
def test_a_day_is_pruned_once_it_is_over(place: Place, hours: int) -> None:
    publish_day(place, FIRST, 1)
    publish_day(place, SECOND, 2)

    removed = keep_output(place.address).prune(FIRST + hours * DAY_US // 24, print)

    dates = {date for date, _, _ in read_days(place)}
    assert removed.slices == (1 if hours == 24 else 0)
    assert dates == ({"2025-03-02"} if hours == 24 else {"2025-03-01", "2025-03-02"})


def test_days_are_what_their_manifests_say(place: Place) -> None:
    publish_day(place, FIRST, 1)
    publish_day(place, FIRST, 2)
    publish_day(place, SECOND, 3)

    found = verify(
        open_output(place.address), lambda path: count_rows(open_output(place.address).root, path)
    )

    assert found.findings == ()
    assert (found.runs, found.files, found.rows) == (2, 4, 4)


def test_the_runs_of_an_owner_are_found_without_any_others(place: Place) -> None:
    publish_day(place, FIRST, 1)
    second = publish_day(place, SECOND, 2)
    again = publish_day(place, FIRST, 3)
    output = open_output(place.address)

    found = output.of_owners("v1", [again.owner, "v1/daily/2025-03-09"])

    assert list(found) == [again]
    assert list(output.of_owners("v2", [second.owner])) == []


def test_an_output_tells_up_to_where_it_was_pruned(place: Place) -> None:
    first, second = publish_day(place, FIRST, 1), publish_day(place, SECOND, 2)
    output = open_output(place.address)
    assert output.pruned_up_to().firsts == {}

    keep_output(place.address).prune(SECOND, print)

    assert output.pruned_up_to().firsts == {"v1": SECOND}
    assert list(output.of_owners("v1", [first.owner, second.owner])) == [second]


def _rerun_and_die(output: str, step: int) -> None:
    die_before(step)  # in a process of its own, which is forked for that
    publish_day(place_in(Path(output)), FIRST, 3)


def test_a_rerun_of_a_day_that_dies_anywhere_leaves_the_old_rows_or_the_new_ones(
    tmp_path: Path,
) -> None:
    parquet_of(3)
    outcomes = set()
    died: int | None = 9
    step = 0
    while died == 9:
        output = tmp_path / str(step)
        place = place_in(output)
        publish_day(place, FIRST, 1)

        died = run_apart(_rerun_and_die, str(output), step)

        rows = read_days(place)
        assert rows in (
            [("2025-03-01", side, seen) for side in ("left", "right")] for seen in (1, 3)
        )
        outcomes.add(rows[0][2])
        publish_day(place, FIRST, 5)
        assert read_days(place) == [("2025-03-01", side, 5) for side in ("left", "right")]
        step += 1
    assert died == 0
    assert outcomes == {1, 3}, "runs die before publication and after it"

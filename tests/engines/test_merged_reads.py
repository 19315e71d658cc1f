"""Readers give one row per key, whatever the batches were; windows are made of any slices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from attrs import evolve

from ndr_adapters.polars import contributions, table_files
from ndr_adapters.polars.merge import merge_deltas as merge_frames
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_adapters.polars.windows import merge_windows
from ndr_core.deltas.merge import merge_deltas, merge_pairs
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.deltas.reference import Tables, build_tables
from ndr_core.deltas.tables import PAIR
from ndr_core.errors import NdrError, OverflowingColumnError, UsageError
from ndr_core.int64 import INT64_MAX
from ndr_core.tables.columns import OutputColumn
from ndr_core.tables.merge import Row
from ndr_core.times import MINUTE_US, to_datetime, to_us
from tests.contributions import contribute, published_as, zeroed_but
from tests.makers import flow, make_plan, make_spec
from tests.property.frames import exactly, rows_of

PLAN = make_plan()
BATCH = "mini_batch_id"
TEN = datetime(2025, 3, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = ("--", "tcp-rst-from-client", "aged-out")


def random_records(random: Random, count: int, minutes: int = 130) -> list[dict[str, Any]]:
    """Sessions of few hosts over some slices: most keys are in several batches."""
    return [
        flow(
            source_ip=f"10.0.0.{random.randrange(4)}",
            destination_ip=random.choice(["192.0.2.7", "192.0.2.8", "2001:db8::7", "10.0.0.1"]),
            destination_port=random.choice([443, 53, 22, None]),
            source_bytes=random.choice([None, random.randrange(1 << 20)]),
            destination_bytes=random.randrange(1 << random.randrange(1, 40)),
            event_start=(
                start := TEN + timedelta(seconds=random.randrange(minutes * 60))
            ).isoformat(),
            event_end=(start + timedelta(milliseconds=random.randrange(5000))).isoformat(),
            event_action=random.choice(["allow", "deny"]),
            event_reason=random.choice(WORDS),
        )
        for _ in range(count)
    ]


def built(records: Iterable[dict[str, Any]], plan: DeltaPlan = PLAN) -> Tables:
    return build_tables([json.dumps(record) for record in records], plan)


def split(random: Random, records: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The records in batches, of which the last one holds records of the first slice alone."""
    parts: list[list[dict[str, Any]]] = [[] for _ in range(random.randrange(1, 5))]
    for record in records:
        parts[random.randrange(len(parts))].append(record)
    return parts


def columns_of(plan: DeltaPlan, *, but: Iterable[str] = (BATCH,)) -> list[OutputColumn]:
    left_out = set(but)
    return [column for column in plan.delta.columns if column.name not in left_out]


def without(rows: Iterable[Row], *names: str) -> list[Row]:
    return [{name: row[name] for name in row if name not in names} for row in rows]


PAIR_COLUMNS = [column for column in PAIR.columns if column.name != BATCH]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("at_once", [1 << 20, 7])
def test_rows_are_those_of_one_batch_of_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, at_once: int
) -> None:
    monkeypatch.setattr(contributions, "ROWS_AT_ONCE", at_once)
    random = Random(seed)
    records = random_records(random, 80)
    parts = [(built(part), PLAN) for part in split(random, records)]
    output = published_as(contribute(tmp_path, parts), monkeypatch)
    whole = built(records)

    deltas, pairs = read_deltas(output).collect(), read_pairs(output).collect()

    assert BATCH not in deltas.columns + pairs.columns
    assert exactly(rows_of(deltas, columns_of(PLAN), PLAN.delta.keys)) == exactly(
        without(whole.deltas, BATCH)
    )
    assert exactly(rows_of(pairs, PAIR_COLUMNS, PAIR.keys)) == exactly(without(whole.pairs, BATCH))


def in_windows(rows: Iterable[Row], length: int, by: Sequence[str]) -> list[Row]:
    """Rows of the reference, as if a window were a slice, and what they do not lie apart by were the same for all."""
    same = {name: "" for name in ("dt", "hh", "mm", "host_ip", "role") if name not in by}
    return [
        row
        | same
        | {
            "slice_start_ts": row["slice_start_ts"] // length * length,
            "slice_end_ts": row["slice_start_ts"] // length * length + length,
        }
        for row in rows
    ]


@pytest.mark.parametrize("by", [("host_ip", "role"), ("host_ip",), ("role",)])
@pytest.mark.parametrize(("every", "minutes"), [("1h", 60), ("30m", 30), ("1d", 1440)])
@pytest.mark.parametrize("at_once", [1 << 20, 25])
def test_windows_are_those_of_all_records(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by: tuple[str, ...],
    every: str,
    minutes: int,
    at_once: int,
) -> None:
    monkeypatch.setattr(contributions, "ROWS_AT_ONCE", at_once)
    random = Random(minutes)
    records = random_records(random, 80)
    parts = [(built(part), PLAN) for part in split(random, records)]
    output = published_as(contribute(tmp_path, parts), monkeypatch)
    length = minutes * MINUTE_US
    since = to_datetime(to_us(TEN) // length * length)
    whole = built(records)

    found = merge_windows(
        output, since, since + 3 * timedelta(minutes=minutes), every, by
    ).collect()

    until = to_us(since) + 3 * length
    expected = merge_deltas(
        in_windows((row for row in whole.deltas if row["slice_start_ts"] < until), length, by),
        in_windows(whole.pairs, length, by),
        PLAN.measures,
    )
    names = {"window_start_ts": "slice_start_ts", "window_end_ts": "slice_end_ts"}
    gone = [name for name in ("dt", "hh", "mm", BATCH, "host_ip", "role") if name not in by]
    columns = columns_of(PLAN, but=gone)
    keys = ["slice_start_ts", *reversed(by)]
    assert exactly(rows_of(found.rename(names), columns, keys)) == exactly(without(expected, *gone))
    measured = [column.name for measure in PLAN.measures for column in measure.columns()]
    assert found.columns == [*by, *names, "feature_spec_version", *measured]


def test_an_hour_of_slices_is_what_a_slice_of_an_hour_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = random_records(Random(1), 60, minutes=59)
    plan = make_plan(make_spec(delta={"slice_minutes": 60}))
    parts = [(built(records[:30]), PLAN), (built(records[30:]), PLAN)]
    output = published_as(contribute(tmp_path, parts), monkeypatch)

    found = merge_windows(output, TEN, TEN + HOUR).collect()

    names = {"window_start_ts": "slice_start_ts", "window_end_ts": "slice_end_ts"}
    gone = ("dt", "hh", "mm", BATCH)
    rows = rows_of(found.rename(names), columns_of(PLAN, but=gone), PLAN.delta.keys)
    assert exactly(rows) == exactly(without(built(records, plan).deltas, *gone))


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Path]:
    """Two contributions to two slices, and one to a third one."""
    late = "2025-03-01T10:15:00Z"
    alone = "2025-03-01T10:30:00Z"
    parts = [
        (built([flow(), flow(event_start=late, event_end=None)]), PLAN),
        (
            built(
                [
                    flow(source_ip="10.0.0.2"),
                    flow(event_start=late, event_end=None, destination_port=22),
                    flow(event_start=alone, event_end=None),
                ]
            ),
            PLAN,
        ),
    ]
    return published_as(contribute(tmp_path, parts), monkeypatch), tmp_path


def test_a_filter_and_three_columns_read_these_columns_only(two: tuple[Any, Path]) -> None:
    output, root = two
    for path in root.glob("delta/**/*.parquet"):
        zeroed_but(path, ["host_ip", "slice_start_ts", "sessions_cnt", "bytes_sent_hist"])
    for path in root.glob("pair/**/*.parquet"):
        zeroed_but(path, [])
    rows = read_deltas(output)
    chosen = rows.filter(pl.col("host_ip") == "10.0.0.1", pl.col("sessions_cnt") > 1)

    found = chosen.select("host_ip", "sessions_cnt", "bytes_sent_p95").collect()

    assert found.rows() == [("10.0.0.1", 2, 100)]
    with pytest.raises(Exception, match=r"(?i)parquet|thrift|page|decompress"):
        rows.select("peer_ip_nunique").collect()


def test_a_filter_of_keys_alone_is_met_before_merging(
    two: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    output, _ = two
    merged: list[int] = []

    def note(*arguments: Any) -> pl.DataFrame:
        frame = merge_frames(*arguments)
        merged.append(frame.height)
        return frame

    monkeypatch.setattr(table_files, "merge_deltas", note)
    rows = read_deltas(output)
    of_key = (pl.col("role") == "outbound") & (pl.col("mm") == "15")
    of_value = of_key & (pl.col("sessions_cnt") == 2)

    found = [rows.filter(condition).collect() for condition in (of_key, of_value)]

    assert merged == [1, 5]
    assert [frame.height for frame in found] == [1, 1]
    assert found[0].equals(found[1])


def test_slices_with_one_contribution_are_scanned_as_they_are(two: tuple[Any, Path]) -> None:
    output, _ = two

    plan = read_deltas(output).explain()
    alone = read_deltas(output, since=TEN + timedelta(minutes=30)).explain()

    assert (plan.count("Parquet SCAN"), plan.count("PYTHON SCAN")) == (1, 1)
    assert (alone.count("Parquet SCAN"), alone.count("PYTHON SCAN")) == (1, 0)


def test_first_rows_counts_and_aggregates_are_those_of_the_merged_rows(
    two: tuple[Any, Path],
) -> None:
    rows = read_deltas(two[0])

    assert rows.head(3).collect().height == 3
    assert rows.select(pl.len()).collect().item() == rows.collect().height == 7
    sessions = rows.group_by("role").agg(pl.sum("sessions_cnt")).collect(engine="streaming")
    assert sorted(sessions.rows()) == [("inbound", 5), ("outbound", 5)]


def test_a_column_that_a_contribution_lacks_is_null_and_what_pairs_tell_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = make_plan(make_spec(delta={"measures": ["sessions_cnt", "bytes_sent_quantiles"]}))
    other = [flow(source_ip="10.0.0.2")]
    parts = [(built([flow(), *other]), PLAN), (built([flow()], few), few)]
    output = published_as(contribute(tmp_path, parts), monkeypatch)

    rows = read_deltas(output).filter(pl.col("role") == "outbound").sort("host_ip")

    names = ["sessions_cnt", "bytes_sent_p50", "bytes_recv_sum", "bytes_recv_hist"]
    derived = ["bytes_recv_p50", "max_sessions_per_minute", "duration_sum", "peer_ip_nunique"]
    found = rows.select(*names, *derived).collect().rows()
    assert found[0] == (2, 100, None, None, None, None, None, 1)
    assert None not in found[1]
    tables = [tables for tables, _ in parts]
    expected = merge_deltas(
        [row for table in tables for row in table.deltas],
        [row for table in tables for row in table.pairs],
        PLAN.measures,
    )
    assert exactly(
        rows_of(read_deltas(output).collect(), columns_of(PLAN), PLAN.delta.keys)
    ) == exactly(without(expected, BATCH))


def test_deltas_without_any_pairs_have_no_peers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = evolve(built([flow()]), pairs=[])
    output = published_as(contribute(tmp_path, [(tables, PLAN), (tables, PLAN)]), monkeypatch)
    columns = ["sessions_cnt", "peer_ip_nunique", "peer_ip_entropy"]

    for rows in (read_deltas(output), merge_windows(output, TEN, TEN + HOUR)):
        assert rows.select(columns).collect().rows() == [(2, 0, None)] * 2


def test_the_plain_merge_takes_what_the_readers_give(two: tuple[Any, Path]) -> None:
    output, _ = two
    deltas, pairs = read_deltas(output).collect(), read_pairs(output).collect()

    merged = merge_deltas(deltas.to_dicts(), pairs.to_dicts(), PLAN.measures)

    assert exactly(without(merged, BATCH)) == exactly(
        rows_of(deltas, columns_of(PLAN), PLAN.delta.keys)
    )
    assert exactly(without(merge_pairs(pairs.to_dicts()), BATCH)) == exactly(
        rows_of(pairs, PAIR_COLUMNS, PAIR.keys)
    )


def test_a_merged_sum_that_leaves_int64_names_column_and_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = built([flow()])
    large = evolve(tables, deltas=[row | {"bytes_sent_sum": INT64_MAX} for row in tables.deltas])
    output = published_as(contribute(tmp_path, [(large, PLAN), (tables, PLAN)]), monkeypatch)

    with pytest.raises(
        OverflowingColumnError,
        match=r"bytes_sent_sum: .* host 192\.0\.2\.7 \(inbound, slice from 2025-03-01T10:00:00Z\)",
    ):
        read_deltas(output).collect()
    with pytest.raises(
        OverflowingColumnError,
        match=r"host 192\.0\.2\.7 \(inbound, window from 2025-03-01T10:00:00Z\)",
    ):
        merge_windows(output, TEN, TEN + HOUR).collect()
    assert read_deltas(output).select("sessions_cnt").collect().height == 2


def test_columns_that_this_version_does_not_know_are_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contributed = contribute(tmp_path, [(built([flow()]), PLAN), (built([flow()]), PLAN)])
    columns = {"delta": {**contributed.columns["delta"], "odd": "int64"}}
    output = published_as(evolve(contributed, columns=columns), monkeypatch)

    with pytest.raises(NdrError, match="can't merge the delta columns odd"):
        read_deltas(output)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": "1 hour"}, "every: '1 hour' is no duration"),
        ({"every": "90s"}, "every: 90s is no multiple of a slice"),
        ({"every": "0m"}, "every: 0m is no multiple of a slice"),
        ({"since": TEN + timedelta(minutes=15)}, "since: .* is no multiple of 1h"),
        ({"until": TEN + timedelta(minutes=75)}, "until: .* is no multiple of 1h"),
        ({"since": datetime(2025, 3, 1, 10)}, "since: .* has no time zone"),
        ({"until": TEN}, "until: .* must be later than since"),
        ({"by": ()}, "by: .* must be"),
        ({"by": ("host_ip", "mm")}, "by: .* must be"),
        ({"by": "role"}, "by: 'role' must be"),
        ({"measures": ["sessions"]}, "have no 'sessions'; they have sessions_cnt, bytes_sent_sum"),
    ],
)
def test_wrong_arguments_of_windows_are_named(
    two: tuple[Any, Path], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        merge_windows(two[0], **({"since": TEN, "until": TEN + HOUR} | arguments))


def test_a_window_that_is_no_multiple_of_the_slices_is_named_when_it_is_read(
    two: tuple[Any, Path],
) -> None:
    since = to_datetime(to_us(TEN) // (20 * MINUTE_US) * (20 * MINUTE_US))
    windows = merge_windows(two[0], since, since + HOUR, "20m")

    with pytest.raises(UsageError, match="every: 20m is no multiple of the slices"):
        windows.collect()


def test_windows_of_some_measures_read_no_others(two: tuple[Any, Path]) -> None:
    output, root = two
    ends = ["slice_start_ts", "slice_end_ts"]
    for path in root.glob("delta/**/*.parquet"):
        zeroed_but(path, ["host_ip", *ends, "sessions_cnt", "allow_cnt"])
    for path in root.glob("pair/**/*.parquet"):
        path.unlink()

    found = merge_windows(output, TEN, TEN + HOUR, measures=["allow_cnt"])

    assert found.collect_schema().names() == [
        *("host_ip", "role", "window_start_ts", "window_end_ts", "feature_spec_version"),
        *("sessions_cnt", "allow_cnt"),
    ]
    assert sorted(found.select("host_ip", "role", "allow_cnt").collect().rows()) == [
        ("10.0.0.1", "outbound", 4),
        ("10.0.0.2", "outbound", 1),
        ("192.0.2.7", "inbound", 5),
    ]


def test_windows_without_any_rows_have_their_keys(two: tuple[Any, Path]) -> None:
    later = TEN + 5 * HOUR

    found = merge_windows(two[0], later, later + HOUR, by=("role",)).collect()

    assert found.columns == ["role", "window_start_ts", "window_end_ts", "feature_spec_version"]
    assert found.is_empty()

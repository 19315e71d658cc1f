"""Readers of features: published rows with their record ids, and windows by the original pipeline's names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.features.readers import (
    read_beacons,
    read_fg_a,
    read_pair_history,
    wide_fg_a,
)
from ndr_adapters.reference.features import ReferenceWindowEngine
from ndr_core.deltas.tables import PAIR
from ndr_core.history.engine import HistoryInputs
from ndr_core.history.tables import PAIR_HISTORY
from ndr_core.windows.engine import WindowInputs
from ndr_core.windows.history_source import history_source
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.tables import BEACON
from tests.engines.feature_outputs import FeatureOutputs
from tests.makers import us
from tests.unit.core.history.days import pair, plan
from tests.window_cases import DAY, DELTA_PLAN, HOUR, delta_tables, session, window_plan

MIDNIGHT = us("2025-03-13T00:00:00Z")
TEN = us("2025-03-12T10:15:00Z")
HOST, PEER = "10.0.0.1", "192.0.2.7"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> FeatureOutputs:
    """Windows of an hour that end at 10:15, and of an hour and a day that end at midnight."""
    found = FeatureOutputs(tmp_path_factory.mktemp("features"))
    records = [
        *(session(f"{hour:02}:00:00", 1, source_bytes=100) for hour in range(1, 23)),
        session("10:05:00", 1, source_bytes=7, destination_bytes=40, event_action="deny"),
        session("10:06:00", 1, destination_ip="10.0.0.9", destination_port=None),
    ]
    tables = delta_tables(records)
    found.publish("mb", {DELTA_PLAN.delta: tables.deltas, PAIR: tables.pairs})
    for anchor, labels in ((TEN, (HOUR,)), (MIDNIGHT, (HOUR, DAY))):
        found.build_windows(ReferenceWindowEngine(), window_plan(), inputs(found, anchor, labels))
    return found


def inputs(output: FeatureOutputs, anchor: int, labels: tuple[WindowLabel, ...]) -> WindowInputs:
    return WindowInputs(
        anchor,
        labels,
        {label: label.slices(15) for label in labels},
        {label: history_source(label.start(anchor), (), None) for label in labels},
        output.deltas,
        output.features,
        "v1",
        "v1",
    )


def test_windows_have_the_id_of_host_role_label_and_end(output: FeatureOutputs) -> None:
    rows = read_fg_a(output.features).collect()

    assert sorted(rows.get_column("record_id")) == [
        "10.0.0.1|outbound|w_1h|2025-03-12T10:15:00Z",
        "10.0.0.1|outbound|w_24h|2025-03-13T00:00:00Z",
        "10.0.0.9|inbound|w_1h|2025-03-12T10:15:00Z",
        "10.0.0.9|inbound|w_24h|2025-03-13T00:00:00Z",
    ]
    assert rows.columns == [*(column.name for column in window_plan().fg_a.columns), "record_id"]


def test_windows_are_chosen_by_their_end(output: FeatureOutputs) -> None:
    noon = datetime(2025, 3, 12, 12, tzinfo=UTC)

    before = read_fg_a(output.features, until=noon).collect()
    after = read_fg_a(output.features, since=noon).collect()

    assert set(before.get_column("window_label")) == {"w_1h"}
    assert set(after.get_column("window_label")) == {"w_24h"}


def test_beacons_have_the_id_of_host_role_peer_port_and_end(output: FeatureOutputs) -> None:
    rows = read_beacons(output.features).collect()

    assert rows.get_column("record_id").to_list() == [
        "10.0.0.1|outbound|192.0.2.7|443|2025-03-13T00:00:00Z"
    ]
    assert rows.columns == [*(column.name for column in BEACON.columns), "record_id"]


def test_pairs_have_the_id_of_host_role_peer_port_and_day(tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path)
    output.publish_pairs("one", [pair(20_000), pair(20_000, port=None, role="inbound")])
    output.build_day(PolarsHistoryEngine(), plan(20_000), HistoryInputs(output.deltas))

    rows = read_pair_history(output.features).collect()

    assert sorted(rows.get_column("record_id")) == [
        "10.0.0.1|inbound|192.0.2.7||2024-10-04",
        "10.0.0.1|outbound|192.0.2.7|443|2024-10-04",
    ]
    next_day = datetime(2024, 10, 5, tzinfo=UTC)
    assert read_pair_history(output.features, since=next_day).collect().is_empty()
    assert read_pair_history(output.features, until=next_day).collect().height == 2


def test_an_output_without_features_has_no_rows_but_columns(tmp_path: Path) -> None:
    output = FeatureOutputs(tmp_path).features

    for rows, table in ((read_pair_history(output), PAIR_HISTORY), (read_beacons(output), BEACON)):
        found = rows.collect()
        assert found.is_empty()
        assert found.columns == [*(column.name for column in table.columns), "record_id"]
    assert wide_fg_a(read_fg_a(output)).collect().is_empty()


def test_wide_windows_have_a_row_for_each_host_and_end_with_the_original_names(
    output: FeatureOutputs,
) -> None:
    rows = wide_fg_a(read_fg_a(output.features)).collect().sort("window_end_ts", "host_ip")

    assert rows.get_column("record_id").to_list() == [
        "10.0.0.1|2025-03-12T10:15:00Z",
        "10.0.0.9|2025-03-12T10:15:00Z",
        "10.0.0.1|2025-03-13T00:00:00Z",
        "10.0.0.9|2025-03-13T00:00:00Z",
    ]
    ten, ten_inbound, day, _ = rows.to_dicts()
    # From 09:15 to 10:15: the session of 10:00, the denied one, and the one to 10.0.0.9.
    assert ten["sessions_cnt_w_1h"] == 3
    assert ten["deny_cnt_w_1h"] == 1
    assert ten["bytes_src_sum_w_1h"] == 100 + 7 + 100
    assert ten["bytes_dst_sum_w_1h"] == 1000 + 40 + 1000
    assert ten["high_risk_port_sessions_cnt_w_1h"] == 0
    assert (ten["time_band_w_1h"], ten["hour_of_day"], ten["is_weekend"]) == ("wd_work", 11, 0)
    assert ten["sessions_cnt_w_24h"] is None
    assert ten["in_sessions_cnt_w_1h"] is None
    # 10.0.0.9 is the destination: the source has sent 100 bytes to it.
    assert ten_inbound["in_bytes_src_sum_w_1h"] == 100
    assert ten_inbound["in_bytes_dst_sum_w_1h"] == 1000
    assert ten_inbound["sessions_cnt_w_1h"] is None
    assert day["sessions_cnt_w_24h"] == 22 + 2
    assert day["time_band_w_24h"] == "all"
    assert not {"drop_cnt_w_1h", "bytes_sent_sum_w_1h", "role", "window_label"} & set(rows.columns)


def test_wide_windows_are_those_of_the_labels_that_are_asked_for(output: FeatureOutputs) -> None:
    rows = wide_fg_a(read_fg_a(output.features), ["w_24h"])

    names = rows.collect_schema().names()

    assert "sessions_cnt_w_24h" in names
    assert not [name for name in names if name.endswith("_w_1h")]
    assert (
        rows.filter(pl.col("host_ip") == HOST)
        .select("peer_ip_nunique_w_24h")
        .collect()
        .max()
        .item()
        == 2
    )

"""The tables of the pair history."""

from __future__ import annotations

from ndr_core.history.tables import HISTORY_TABLES, PAIR_HISTORY, VIEWS
from ndr_core.tables.columns import Merge
from ndr_core.tables.slices import DAY_LEVELS


def test_all_lie_in_folders_of_days_and_roles() -> None:
    assert {table.levels for table in HISTORY_TABLES} == {(*DAY_LEVELS, "role")}


def test_a_key_has_one_row_in_each_table() -> None:
    for table in HISTORY_TABLES:
        others = [column for column in table.columns if column.merge is not Merge.KEY]
        assert {column.merge for column in others} == {Merge.NEVER}


def test_the_pair_history_holds_what_a_pair_did_in_30_days() -> None:
    assert [column.name for column in PAIR_HISTORY.file_columns] == [
        "host_ip",
        "peer_ip",
        "peer_port",
        "day_ts",
        "days_mask",
        "last_seen_ts",
        "age_days",
        "sessions_30d",
        "bytes_sent_30d",
        "published_at",
    ]


def test_the_views_are_by_peer_port_and_segment() -> None:
    assert [table.keys[-1] for table in VIEWS] == ["peer_ip", "peer_port", "segment"]

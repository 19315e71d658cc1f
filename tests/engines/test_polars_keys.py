"""Rows grouped by packed keys, and by roles of any shape: the same as by the columns themselves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from attrs import evolve

from ndr_adapters.polars import keys as packing
from ndr_adapters.polars.engine import PolarsEngine
from ndr_adapters.polars.keys import are_met, order_by, packed_keys, places_in, with_keys_of
from ndr_core.deltas.roles import INBOUND, OUTBOUND, Role
from tests.makers import differences, flow, make_plan, write_batch
from tests.support import run_engine, run_reference

CLIENT_PORT = Role(
    "client_port", "source_ip", "destination_ip", "source_bytes", "destination_bytes", "source_port"
)
SERVER_ONLY = Role(
    "server_only", "destination_ip", "source_ip", "source_bytes", "source_bytes", "source_port"
)
ALONE = Role("alone", "source_ip", "source_ip", "destination_bytes", "source_bytes")

LINES = [
    flow(
        source_ip=f"10.0.0.{number % 5}",
        destination_ip=f"10.0.0.{number % 3}",
        source_port=[7, None, 65535][number % 3],
        destination_port=[443, 0, None, 53][number % 4],
        source_bytes=[0, None, 3_000, 2**40][number % 4],
        destination_bytes=number,
        event_start=f"2025-03-01T{number % 24:02}:{number % 60:02}:00Z",
        event_end=None,
    )
    for number in range(120)
]


def check_equals_the_reference(roles: tuple[Role, ...], folder: Path, input_bytes: int) -> None:
    plan = evolve(make_plan(), roles=roles)
    batch = write_batch(folder / "in", [LINES])
    engine = PolarsEngine(input_bytes_per_share=input_bytes)
    ours = run_engine(engine, plan, batch, folder / "out")
    assert differences(run_reference(plan, batch), ours) == []


@pytest.mark.parametrize("input_bytes", [1 << 27, 300])
@pytest.mark.parametrize(
    "roles",
    [
        (INBOUND,),
        (INBOUND, OUTBOUND),
        (OUTBOUND, CLIENT_PORT),
        (CLIENT_PORT, OUTBOUND, SERVER_ONLY, INBOUND),
        (ALONE, INBOUND),
    ],
    ids=lambda roles: "+".join(role.name for role in roles),
)
def test_roles_need_not_be_mirrors_of_each_other(
    roles: tuple[Role, ...], input_bytes: int, tmp_path: Path
) -> None:
    check_equals_the_reference(roles, tmp_path, input_bytes)


@pytest.mark.parametrize("input_bytes", [1 << 27, 300])
def test_columns_that_fit_no_single_key_are_grouped_by_several(
    input_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_KEY_BITS", 8)
    check_equals_the_reference((OUTBOUND, INBOUND), tmp_path, input_bytes)


def test_keys_give_back_what_they_hold_and_sort_as_it_does() -> None:
    rows = pl.DataFrame(
        {
            "high": pl.Series([2**63 - 1, 2**63 - 1, 2**63 - 9, 2**63 - 9], dtype=pl.Int64),
            "wide": pl.Series([2**32 - 1, 0, 7, 2**31], dtype=pl.UInt32),
            "same": pl.Series([5, 5, 5, 5], dtype=pl.UInt32),
            "low": pl.Series([0, 2**28 - 1, 1, 1], dtype=pl.Int64),
        }
    )

    keys = packed_keys(rows.lazy(), rows.columns)

    assert len(keys) == 1
    packed = rows.select(keys[0].packed().alias("key")).sort("key")
    unpacked = packed.select(keys[0].unpacked("key")).select(rows.columns)
    assert unpacked.equals(rows.sort(rows.columns))
    assert unpacked.schema == rows.schema


def test_a_column_that_needs_all_bits_of_a_key_has_one_to_itself() -> None:
    rows = pl.LazyFrame({"one": [0, 2**63 - 1], "other": [0, 3]})

    assert [len(key.columns) for key in packed_keys(rows, ["one", "other"])] == [1, 1]


def test_rows_are_put_into_the_order_of_their_columns_by_one_key_or_by_several() -> None:
    narrow = pl.DataFrame({"one": [3, 1, 3, 1], "other": [0, 9, 8, 2]})
    wide = narrow.with_columns(one=pl.Series([2**63 - 1, 0, 2**63 - 1, 0]))

    for rows, keys in ((narrow, 1), (wide, 2)):
        assert len(packed_keys(rows.lazy(), rows.columns)) == keys
        assert order_by(rows).to_list() == [3, 1, 0, 2]


def test_rows_with_the_keys_of_others_are_found_by_one_key_or_by_several() -> None:
    narrow = pl.DataFrame({"one": [3, 1, 3, 1], "other": [0, 9, 8, 2], "value": [5, 6, 7, 8]})
    wide = narrow.with_columns(one=pl.when(pl.col("one") == 3).then(2**63 - 1).otherwise(0))

    for rows, keys in ((narrow, 1), (wide, 2)):
        names = ["one", "other"]
        others = rows.select(names)[[3, 0, 0]].vstack(pl.DataFrame({"one": [7], "other": [40]}))
        both = pl.concat([rows.select(names), others])

        assert len(packed_keys(both.lazy(), names)) == keys
        assert with_keys_of(rows, others, names).equals(rows[[0, 3]])
        assert with_keys_of(rows, others.clear(), names).equals(rows.clear())


def test_places_of_rows_among_others_are_found_by_one_key_or_by_several() -> None:
    narrow = pl.DataFrame({"one": [3, 1, 3, 1], "other": [0, 9, 8, 2]})
    wide = narrow.with_columns(one=pl.when(pl.col("one") == 3).then(2**63 - 1).otherwise(0))

    for rows, keys in ((narrow, 1), (wide, 2)):
        others = pl.DataFrame({"one": [7], "other": [40]}).vstack(rows[[3, 0]])

        assert len(packed_keys(pl.concat([rows, others]).lazy(), rows.columns)) == keys
        assert places_in(others, rows, rows.columns).to_list() == [2, None, None, 1]
        assert places_in(others.clear(), rows, rows.columns).to_list() == [None] * 4
        assert places_in(others, rows.clear(), rows.columns).to_list() == []
        assert are_met(rows, others, rows.columns).to_list() == [True, False, False, True]
        assert are_met(rows, others.clear(), rows.columns).to_list() == [False] * 4
        assert are_met(rows.clear(), others, rows.columns).to_list() == []


def test_no_rows_have_a_key() -> None:
    rows = pl.LazyFrame(schema={"one": pl.Int64, "other": pl.UInt32})

    assert len(packed_keys(rows, ["one", "other"])) == 1

"""A plan holds all that an engine needs, compiled from a spec and the parameters of a run."""

from __future__ import annotations

from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.expressions.evaluate import evaluate
from ndr_core.jobs.run import RuntimeParams
from ndr_core.measures.kinds import Additive, Derived
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SliceBounds
from tests.makers import make_plan, make_spec, us

TEN, QUARTER_PAST = us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z")
SLICE = "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
BOUNDED = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))
OPEN = make_plan()
ONE_ROLE = make_plan(
    make_spec(
        roles=["inbound"],
        delta={"measures": ["duration_sum", "peer_ip_nunique", "max_sessions_per_minute"]},
    )
)


def test_a_plan_takes_over_what_spec_and_parameters_say() -> None:
    spec = make_spec(feature_spec_version="v2", quality={"deduplicate_on": ["uid", "source_ip"]})

    plan = compile_plan(spec, RuntimeParams("mb-7", "run-7", TEN, QUARTER_PAST))

    assert plan.input == spec.input
    assert plan.key_columns == ("uid",)
    assert plan.deduplicate_on == ("uid", "source_ip")
    assert plan.roles == (OUTBOUND, INBOUND)
    assert plan.measures == spec.measures()
    assert plan.bounds == SliceBounds(TEN, QUARTER_PAST)
    assert plan.constants() == {"mini_batch_id": "mb-7", "feature_spec_version": "v2"}


def test_records_are_judged_by_the_slice_where_there_is_one_and_as_duplicates_where_asked() -> None:
    deduplicating = make_plan(make_spec(quality={"deduplicate_on": ["source_ip"]}))

    def rules(plan: DeltaPlan) -> set[str]:
        return {rule.name for rule in plan.reject_rules}

    assert rules(BOUNDED) - rules(OPEN) == {"out_of_slice"}
    assert rules(deduplicating) - rules(OPEN) == {"duplicate"}


def test_chosen_measures_are_selected_with_what_they_need() -> None:
    assert [measure.name for measure in ONE_ROLE.measures] == [
        "sessions_cnt",
        "duration_us_sum",
        "duration_sum",
        "max_sessions_per_minute",
        "peer_ip_nunique",
    ]


def test_measures_are_found_by_their_kind() -> None:
    assert [one.name for one in ONE_ROLE.of_kind(Derived)] == ["duration_sum"]
    assert [one.name for one in ONE_ROLE.sums] == ["sessions_cnt", "duration_us_sum"]
    assert [one.histogram for one in ONE_ROLE.distributions] == ["sessions_per_minute"]


def test_the_sums_of_the_pair_table_are_made_for_each_host_whatever_is_chosen() -> None:
    sums = ONE_ROLE.stored_sums

    assert [one.name for one in sums] == [
        "sessions_cnt",
        "bytes_sent_sum",
        "bytes_recv_sum",
        "duration_us_sum",
    ]
    assert all(isinstance(one, Additive) for one in sums)


def test_each_sum_is_made_once_with_the_contribution_of_its_measure() -> None:
    sums = {one.name: one for one in OPEN.stored_sums}

    assert len(sums) == len(OPEN.stored_sums)
    assert sums["sessions_cnt"] in OPEN.sums


def test_cell_aggregates_are_those_that_the_chosen_measures_need() -> None:
    assert list(ONE_ROLE.cell_aggregates) == ["peer_ip"]
    assert list(OPEN.cell_aggregates) == ["peer_ip", "peer_port"]
    assert all(one.name.startswith("peer_ip:") for one in ONE_ROLE.cell_aggregates["peer_ip"])


def test_formulas_are_the_columns_that_are_made_from_a_row() -> None:
    formulas = {name: column_type for name, _, column_type in ONE_ROLE.row_formulas}
    values = {name: value for name, value, _ in ONE_ROLE.row_formulas}

    assert formulas == {"duration_sum": ColumnType.FLOAT64, "peer_ip_nunique": ColumnType.INT64}
    assert evaluate(values["peer_ip_nunique"], {"peer_ip:cells": 3}) == 3


def test_a_run_makes_the_delta_and_the_pair_table() -> None:
    assert ONE_ROLE.tables == (delta_table(ONE_ROLE.measures), PAIR)
    assert ONE_ROLE.delta == ONE_ROLE.tables[0]


def test_without_bounds_each_record_falls_into_the_slice_of_its_start() -> None:
    starts = [
        evaluate(OPEN.slice_start, {"event_start": TEN + offset})
        for offset in (-1, 0, 899_999_999, 900_000_000)
    ]

    assert starts == [TEN - 900_000_000, TEN, TEN, QUARTER_PAST]
    assert evaluate(OPEN.slice_end, {"slice_start": TEN}) == QUARTER_PAST


def test_with_bounds_all_records_fall_into_the_one_slice() -> None:
    plan = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-01T11:00:00Z"))

    assert evaluate(plan.slice_start, {"event_start": TEN + 1}) == TEN
    assert evaluate(plan.slice_end, {"slice_start": TEN}) == us("2025-03-01T11:00:00Z")


def test_with_bounds_rows_share_the_folder_of_their_slice_and_differ_by_role() -> None:
    assert BOUNDED.shared_path == SLICE
    assert BOUNDED.delta.levels_below(BOUNDED.shared_path) == ("role",)


def test_without_bounds_rows_share_no_folder() -> None:
    assert OPEN.shared_path == ""
    assert OPEN.delta.levels_below(OPEN.shared_path) == (
        "feature_spec_version",
        "dt",
        "hh",
        "mm",
        "role",
    )


def test_a_bounded_slice_has_a_folder_for_each_table_and_role_even_without_rows() -> None:
    folders = dict(BOUNDED.required_folders())

    assert list(folders) == [
        f"delta/{SLICE}/role=outbound",
        f"delta/{SLICE}/role=inbound",
        f"pair/{SLICE}/role=outbound",
        f"pair/{SLICE}/role=inbound",
    ]
    assert folders[f"delta/{SLICE}/role=inbound"] == BOUNDED.delta.file_columns
    assert folders[f"pair/{SLICE}/role=inbound"] == PAIR.file_columns


def test_a_run_without_bounds_has_no_folder_that_it_must_leave() -> None:
    assert list(OPEN.required_folders()) == []

"""A plan holds all that an engine needs, compiled from a spec and the parameters of a run."""

from __future__ import annotations

import pytest

from ndr_core.deltas.plan import DeltaPlan, compile_plan
from ndr_core.deltas.roles import INBOUND, OUTBOUND
from ndr_core.deltas.tables import PAIR, delta_table, pair_table
from ndr_core.errors import SpecError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.flows.moment import Moment
from ndr_core.jobs.run import RuntimeParams
from ndr_core.measures.kinds import Additive, Derived
from ndr_core.tables.columns import ColumnType
from ndr_core.tables.slices import SliceBounds
from tests.makers import make_plan, make_spec, us

TEN, QUARTER_PAST = us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z")
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
    assert plan.duplicate_keys == ("key:uid", "source_ip")
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


def test_what_tells_of_lost_data_is_read_beside_the_keys() -> None:
    lost = {"column": "log_status", "value": "SKIPDATA"}
    quality = {"deduplicate_on": ["uid", "log_status"]}

    plan = make_plan(make_spec(input={"preset": "vpcflow", "lost": lost}))
    both = make_plan(make_spec(input={"preset": "vpcflow", "lost": lost}, quality=quality))

    assert (plan.key_columns, plan.duplicate_keys) == (("log_status",), ())
    assert both.key_columns == ("uid", "log_status")
    assert "non_traffic: lost" in {rule.label for rule in plan.reject_rules}


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


def test_the_pair_table_has_a_timing_unless_the_spec_says_no() -> None:
    untimed = make_plan(make_spec(pair={"timing": False}))

    assert OPEN.pair == PAIR == pair_table(timing=True)
    assert untimed.pair == pair_table(timing=False)


def test_the_role_whose_pairs_have_a_timing_is_known_by_its_number() -> None:
    turned = make_plan(make_spec(roles=["inbound", "outbound"]))
    untimed = make_plan(make_spec(pair={"timing": False}))

    assert (OPEN.timed_role, turned.timed_role) == (0, 1)
    assert ONE_ROLE.timed_role is None
    assert untimed.timed_role is None


def test_a_record_falls_into_the_slice_of_its_moment_with_bounds_or_without() -> None:
    for plan in (OPEN, BOUNDED):
        starts = [
            evaluate(plan.slice_start, {"moment": TEN + offset})
            for offset in (-1, 0, 899_999_999, 900_000_000)
        ]

        assert starts == [TEN - 900_000_000, TEN, TEN, QUARTER_PAST]
        assert evaluate(plan.slice_end, {"slice_start": TEN}) == QUARTER_PAST


def test_slices_last_as_long_and_moments_are_what_the_spec_says() -> None:
    plan = make_plan(make_spec(delta={"slice_minutes": 60, "moment": "event_start"}))

    assert evaluate(plan.slice_start, {"moment": QUARTER_PAST}) == TEN
    assert evaluate(plan.slice_end, {"slice_start": TEN}) == us("2025-03-01T11:00:00Z")
    assert plan.moment is Moment.EVENT_START
    assert OPEN.moment is Moment.EVENT_END


def test_bounds_may_span_many_slices() -> None:
    plan = make_plan(bounds=("2025-03-01T10:00:00Z", "2025-03-02T00:45:00Z"))

    assert plan.bounds == SliceBounds(TEN, us("2025-03-02T00:45:00Z"))


def test_a_bound_within_a_slice_of_the_spec_is_refused() -> None:
    hourly = make_spec(delta={"slice_minutes": 60})

    with pytest.raises(SpecError, match=r"^slice-end: 2025-03-01T10:15:00Z is no border of slices"):
        make_plan(hourly, ("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))
    with pytest.raises(SpecError, match=r"^slice-start: 2025-03-01T10:07:00Z is no border"):
        make_plan(bounds=("2025-03-01T10:07:00Z", "2025-03-01T10:15:00Z"))


def test_kept_records_are_marked_as_repaired_late_and_early() -> None:
    names = ["negative_bytes", "invalid_port", "implausible_bytes", "negative_duration"]
    names += ["missing_end", "late", "early"]

    assert list(OPEN.marks) == list(BOUNDED.marks) == names
    assert evaluate(BOUNDED.marks["late"], {"moment": TEN - 1}) is True
    assert evaluate(OPEN.marks["late"], {"moment": TEN - 1}) is False


def test_how_late_and_early_records_may_be_is_what_the_spec_says() -> None:
    quality = {"allowed_lateness": "1h", "allowed_earliness": "0s"}
    plan = make_plan(make_spec(quality=quality), ("2025-03-01T10:00:00Z", "2025-03-01T10:15:00Z"))

    def rejected(time: int) -> list[str]:
        row = {"event_start": time, "event_end": time, "moment": time}
        rules = [rule for rule in plan.reject_rules if rule.name == "out_of_slice"]
        return [
            rule.label
            for rule in rules
            if rule.condition is not None and evaluate(rule.condition, row)
        ]

    hour = 3_600_000_000
    assert rejected(TEN - hour - 1) == ["out_of_slice: too_late"]
    assert rejected(TEN - hour) == rejected(QUARTER_PAST - 1) == []
    assert rejected(QUARTER_PAST) == ["out_of_slice: too_early"]

"""The tables of the catalogue are those that jobs make."""

from __future__ import annotations

from ndr_core.baselines.metrics import METRICS
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.correlations.tables import fg_c_table
from ndr_core.windows.tables import BEACON, fg_a_table
from tests.makers import make_plan, make_spec

SPEC = make_spec()


def test_the_tables_of_a_spec_are_those_that_its_runs_make() -> None:
    chosen = make_spec(delta={"measures": ["allow_cnt"]})
    untimed = make_spec(pair={"timing": False})

    assert tables_of(SPEC) == make_plan(SPEC).tables
    assert tables_of(chosen) == make_plan(chosen).tables
    assert tables_of(untimed) == make_plan(untimed).tables != tables_of(SPEC)


def test_the_tables_of_features_are_those_of_all_builders() -> None:
    names = [table.name for table in feature_tables_of(SPEC)]

    assert names == [
        *("fg_a", "beacon", "pair_history"),
        *("host_peer_history", "host_port_history", "host_segment_history"),
        *(
            "prevalence",
            "pair_tile",
            "summary",
            "summary_rows",
            "baseline",
            "baseline_rows",
            "fg_c",
        ),
    ]


def test_windows_have_the_measures_of_a_spec_and_correlations_all_metrics() -> None:
    chosen = make_spec(delta={"measures": ["allow_cnt"]})

    tables = feature_tables_of(chosen)

    assert tables[0] == fg_a_table(chosen.chosen_measures())
    assert tables[1] == BEACON
    assert tables[-1] == fg_c_table(METRICS)

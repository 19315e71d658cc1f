"""A publication says where its files go and what its manifest is, whatever its tables are."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.flows.source import InputFile
from ndr_core.measures.kinds import count
from ndr_core.publishing.layout import REPORT_NAME, unreadable_name
from ndr_core.publishing.manifest import Manifest, Replaced, check_places, contributions_of
from ndr_core.publishing.sink import Publication
from ndr_core.quality.report import make_report
from ndr_core.quality.rules import reject_rules
from ndr_core.tables.columns import ColumnType, key_column
from ndr_core.tables.slices import SLICE_COLUMNS
from ndr_core.tables.table import Table
from tests.unit.core.publishing.makers import FACTS, TEN, published

SLICE = "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
BATCH = "feature_spec_version=v1/job_name=j/mini_batch_id=mb"
TOKEN = "0123456789ab"

TOY = Table(
    "toy",
    ("host_ip",),
    (key_column("host_ip", ColumnType.STRING, "the host"), *SLICE_COLUMNS),
)
TOYS = Publication(FACTS, (TOY,), {f"toy/{SLICE}/a": 3, f"toy/{SLICE}/b": 4})

REPORT = make_report(
    reject_rules(None, deduplicates=True),
    5,
    {"malformed_ip: source_ip": 2, "duplicate": 4},
    {},
    0,
    {"in/broken.gz": "is cut"},
)
DELTAS = Publication(
    evolve(FACTS, report=REPORT),
    (delta_table([count("sessions_cnt", "sessions")]), PAIR),
    {f"delta/{SLICE}/role=inbound/x": 1},
    {"quarantine/rejected.json.gz": 6},
    (InputFile("in/broken.gz", 10),),
)


def manifest_of(
    publication: Publication, moment: int = TEN, former: Manifest | None = None
) -> Manifest:
    """The manifest that a sink makes of a publication."""
    targets = publication.targets([file.uri for file in publication.unreadable])
    return publication.manifest(
        moment, TOKEN, (target.placed(TOKEN, 1, "00") for target in targets), former
    )


def test_a_table_without_roles_and_a_run_without_a_report_are_published() -> None:
    manifest = manifest_of(TOYS)

    check_places(manifest)
    assert [file.path for file in manifest.files] == [
        f"toy/{SLICE}/part-00000-{TOKEN}.parquet",
        f"toy/{SLICE}/part-00001-{TOKEN}.parquet",
    ]
    assert manifest.rows("toy") == {"all": 7}


def test_a_run_without_a_report_stages_no_text_and_no_rejected_records() -> None:
    assert TOYS.texts == {}
    assert len(TOYS.targets([])) == 2
    assert TOYS.aside_targets([]) == []


def test_every_file_of_a_run_with_a_report_goes_to_its_slice_or_to_its_batch() -> None:
    manifest = manifest_of(DELTAS)

    check_places(manifest)
    assert [(file.path, file.rows) for file in manifest.files] == [
        (f"delta/{SLICE}/role=inbound/part-00000-{TOKEN}.parquet", 1),
        (f"quarantine/{BATCH}/rejected-00000-{TOKEN}.json.gz", 6),
        (
            f"quarantine/{BATCH}/"
            + unreadable_name(0, "in/broken.gz").replace("00000-", f"00000-{TOKEN}-", 1),
            0,
        ),
        (f"quality/{BATCH}/report-{TOKEN}.json", 0),
    ]


def test_what_belongs_to_no_table_is_quarantine_and_report() -> None:
    aside = DELTAS.aside_targets(["in/broken.gz"])

    assert DELTAS.targets(["in/broken.gz"])[1:] == aside
    assert [target.name for target in aside] == [
        "rejected-00000.json.gz",
        unreadable_name(0, "in/broken.gz"),
        "report.json",
    ]


def test_where_no_record_was_rejected_the_engine_s_empty_file_is_not_published() -> None:
    report = make_report(reject_rules(None, deduplicates=False), 5, {}, {}, 0, {})
    publication = evolve(
        DELTAS,
        facts=evolve(FACTS, report=report),
        rejected={"quarantine/rejected.json.gz": 0},
        unreadable=(),
    )

    targets = publication.targets([])

    assert [target.stem for target in targets] == ["part-00000", "report"]


def test_the_report_is_staged_as_json_text() -> None:
    assert list(DELTAS.texts) == [REPORT_NAME]
    assert json.loads(DELTAS.texts[REPORT_NAME]) == REPORT.to_plain()
    assert json.loads(DELTAS.texts[REPORT_NAME])["read"] == 11


def test_a_manifest_says_whose_it_is_when_it_was_published_and_what_it_contributes() -> None:
    manifest = manifest_of(DELTAS)

    assert manifest.facts is DELTAS.facts
    assert (manifest.published_at, manifest.token) == (TEN, TOKEN)
    assert manifest.contributions == contributions_of(DELTAS.facts, manifest.files)
    assert [one.key for one in manifest.contributions] == [("j", "mb", SLICE.partition("/")[2])]


def test_a_manifest_holds_the_columns_of_all_tables_also_of_those_without_rows() -> None:
    manifest = manifest_of(DELTAS)

    assert manifest.rows("pair") == {}
    assert manifest.tables == ("delta", "pair")
    assert manifest.columns["pair"] == {column.name: column.type.value for column in PAIR.columns}
    assert list(manifest.columns["delta"]) == [column.name for column in DELTAS.tables[0].columns]


def test_the_first_run_of_a_mini_batch_replaces_nothing() -> None:
    assert manifest_of(TOYS).replaced is None


def test_a_rerun_says_which_run_it_replaces_and_what_that_held() -> None:
    former = published(TEN - 5, 0, 15, 30, run_id="before", report=REPORT)

    assert manifest_of(DELTAS, former=former).replaced == Replaced("before", TEN - 5, 3, 5)


def test_a_replaced_run_without_a_report_kept_nobody_knows_how_many_records() -> None:
    replaced = manifest_of(TOYS, former=published(TEN - 5, 0)).replaced

    assert replaced is not None
    assert replaced.kept is None


@pytest.mark.parametrize(
    ("moment", "at"), [(TEN + 2, TEN + 2), (TEN + 1, TEN + 1), (TEN, TEN + 1), (TEN - 99, TEN + 1)]
)
def test_a_rerun_is_published_later_than_the_run_that_it_replaces_though_the_clock_went_back(
    moment: int, at: int
) -> None:
    assert manifest_of(TOYS, moment, published(TEN)).published_at == at

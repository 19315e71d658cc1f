"""A publication says what a run replaces and where its files go, whatever its tables are."""

from __future__ import annotations

import json

from attrs import evolve

from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.flows.moment import Moment
from ndr_core.flows.source import InputFile
from ndr_core.measures.kinds import count
from ndr_core.publishing.layout import REPORT_NAME, unreadable_name
from ndr_core.publishing.manifest import Manifest, RunFacts, check_places
from ndr_core.publishing.sink import Publication
from ndr_core.quality.report import make_report
from ndr_core.quality.rules import Span, reject_rules
from ndr_core.tables.columns import ColumnType, key_column
from ndr_core.tables.slices import SLICE_COLUMNS, SliceBounds
from ndr_core.tables.table import Table
from tests.makers import us

SLICE = "feature_spec_version=v1/dt=2025-03-01/hh=10/mm=00"
BATCH = "feature_spec_version=v1/mini_batch_id=mb/dt=2025-03-01/hh=10/mm=00"
TOKEN = "0123456789ab"
BOUNDS = SliceBounds(us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z"))

TOY = Table(
    "toy",
    ("host_ip",),
    (key_column("host_ip", ColumnType.STRING, "the host"), *SLICE_COLUMNS),
)
FACTS = RunFacts("p", "j", "v1", "00", "mb", "run", "memory", "test")
TOYS = Publication(FACTS, (TOY,), {f"toy/{SLICE}/a": 3, f"toy/{SLICE}/b": 4})

REPORT = make_report(
    reject_rules(Span(BOUNDS, Moment.EVENT_END, 0, 0), deduplicates=False),
    5,
    {"malformed_ip": 2, "out_of_slice: too_late": 4},
    {},
    0,
    {"in/broken.gz": "is cut"},
)
DELTAS = Publication(
    evolve(FACTS, report=REPORT),
    (delta_table([count("sessions_cnt", "sessions")]), PAIR),
    {f"delta/{SLICE}/role=inbound/x": 1},
    BOUNDS,
    {"quarantine/rejected.json.gz": 6},
    (InputFile("in/broken.gz", 10),),
)


def published(publication: Publication) -> Manifest:
    """The manifest that a sink makes of a publication."""
    unreadable = [file.uri for file in publication.unreadable]
    targets = publication.targets(unreadable)
    files = tuple(target.placed(TOKEN, 1, "00") for target in targets)
    return Manifest(1, TOKEN, publication.facts, publication.folders, files)


def test_a_table_without_roles_and_a_run_without_a_report_are_published() -> None:
    manifest = published(TOYS)

    check_places(manifest)
    assert manifest.folders == (f"toy/{SLICE}",)
    assert [file.path for file in manifest.files] == [
        f"toy/{SLICE}/part-00000-{TOKEN}.parquet",
        f"toy/{SLICE}/part-00001-{TOKEN}.parquet",
    ]
    assert manifest.rows("toy") == {"all": 7}


def test_a_run_without_a_report_stages_no_text_and_no_rejected_records() -> None:
    assert TOYS.texts == {}
    assert len(TOYS.targets([])) == 2


def test_deltas_with_bounds_replace_their_slice_in_each_table_and_what_their_batch_set_aside() -> (
    None
):
    assert DELTAS.folders == (
        f"delta/{SLICE}",
        f"pair/{SLICE}",
        f"quarantine/{BATCH}",
        f"quality/{BATCH}",
    )


def test_deltas_without_bounds_have_a_batch_folder_without_a_slice() -> None:
    folders = evolve(DELTAS, bounds=None).folders

    assert folders[-1] == "quality/feature_spec_version=v1/mini_batch_id=mb"


def test_every_file_of_a_run_with_a_report_goes_to_a_folder_that_the_run_replaces() -> None:
    manifest = published(DELTAS)

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

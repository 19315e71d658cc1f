"""Manifests as they are written and read, whatever they hold."""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.publishing.manifest import (
    Manifest,
    ManifestError,
    OutputFile,
    Replaced,
    RunFacts,
    contributions_of,
    plain_of,
    summary,
)
from ndr_core.publishing.read_facts import (
    DELTAS,
    CoveredWindows,
    DayRead,
    ReadContribution,
    ReadFacts,
    SettingRead,
)
from tests.unit.core.publishing.makers import (
    ALL_FACTS,
    BARE,
    BATCH,
    ONE,
    PLACE,
    REPORT,
    SLICE,
    TEN,
    VERSION,
    bounds,
    file_at,
    made,
    published,
)

# Written and read.


@pytest.mark.parametrize(
    "manifest",
    [
        ONE,
        BARE,
        evolve(ONE, replaced=Replaced("before", 1, 2, 3)),
        evolve(BARE, replaced=Replaced("before", 1, 2, None)),
    ],
)
def test_a_manifest_is_read_back_as_it_was_written(manifest: Manifest) -> None:
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert Manifest.from_json(manifest.to_json().encode()) == manifest
    assert Manifest.from_plain(json.loads(json.dumps(manifest.to_plain()))) == manifest


def test_a_wrong_manifest_is_named_with_what_to_do() -> None:
    assert str(ManifestError("is no manifest of a run").at("out/x.json")) == (
        "out/x.json: is no manifest of a run; restore it, or remove it and run its mini-batch again"
    )


def test_the_text_of_a_manifest_begins_with_its_format_so_that_a_cut_one_is_known() -> None:
    assert ONE.to_json().startswith('{\n "format": 2,\n "published_at": ')
    assert ONE.to_json().endswith("\n}")


@pytest.mark.parametrize(("found", "shown"), [(1, "1"), (3, "3"), ("2", "'2'"), (None, "None")])
def test_a_manifest_of_another_format_is_refused_by_its_format(found: object, shown: str) -> None:
    data = ONE.to_plain() | {"format": found}

    with pytest.raises(ManifestError) as refused:
        Manifest.from_plain(data)

    assert str(refused.value) == (
        f"is a manifest of format {shown}, and this version reads format 2; use a version that reads it"
    )


def test_a_manifest_of_another_format_is_refused_by_that_whatever_else_it_holds() -> None:
    with pytest.raises(ManifestError, match="of format 3"):
        Manifest.from_plain({"format": 3})


@pytest.mark.parametrize(("found", "shown"), [(2, "2"), ("new", "'new'"), (None, "None")])
def test_a_manifest_of_files_of_another_parquet_format_is_refused_by_that_format(
    found: object, shown: str
) -> None:
    data = ONE.to_plain() | {"parquet_format": found}

    with pytest.raises(ManifestError) as refused:
        Manifest.from_plain(data)

    assert str(refused.value) == (
        f"says of its files: the Parquet format is {shown}, and this version reads 1; use a version that reads it"
    )


def test_the_files_of_a_manifest_that_names_no_parquet_format_are_of_the_first_one() -> None:
    data = ONE.to_plain()
    del data["parquet_format"]

    assert Manifest.from_plain(data).parquet_format == 1


def test_data_that_name_no_format_are_no_manifest() -> None:
    data = ONE.to_plain()
    del data["format"]

    with pytest.raises(ManifestError, match="is no manifest of a run"):
        Manifest.from_plain(data)


def test_a_manifest_with_a_span_that_can_not_be_is_none() -> None:
    data = ONE.to_plain()
    data["facts"]["bounds"] = {"start": 60, "end": 0}

    with pytest.raises(ManifestError, match="is no manifest of a run"):
        Manifest.from_plain(data)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", "{}", "[" * 100_000, '{"format": 2}', "\ufeff{}", "1" * 5000],
)
def test_text_that_is_no_manifest_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ManifestError, match="is no manifest of a run"):
        Manifest.from_json(text)


def test_the_data_of_json_text_are_given_as_they_are() -> None:
    assert plain_of('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(ManifestError, match="is no manifest of a run"):
        plain_of("{")


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
HEX = st.text("0123456789abcdef", min_size=12, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FACTS_OF_ANY_RUN = st.builds(
    RunFacts,
    *(NAMES,) * 8,
    report=st.none() | st.just(REPORT),
    derived_id=st.booleans(),
    bounds=st.none() | st.builds(bounds, st.integers(-600, 0), st.integers(1, 600)),
    inputs=st.lists(HEX, max_size=3).map(tuple),
    meaning=st.dictionaries(st.text(), JSON, max_size=3),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Manifests of any run, with any files in any slices, quarantine and report among them."""
    facts, token = draw(FACTS_OF_ANY_RUN), draw(HEX)
    version = f"feature_spec_version={facts.feature_spec_version}"
    folders = st.builds(
        "{}/{}/dt=2025-03-{:02}/hh={:02}/mm=00{}".format,
        st.sampled_from(["delta", "pair"]),
        st.just(version),
        st.integers(1, 31),
        st.integers(0, 23),
        st.sampled_from(["", "/role=inbound", "/role=a b"]),
    ) | st.sampled_from([f"quarantine/{version}/job_name=j", f"quality/{version}/x=1/y=2"])
    files = draw(
        st.lists(
            st.builds(
                OutputFile,
                folders.map(lambda folder: f"{folder}/part-00000-{token}.parquet"),
                st.integers(0, 2**63),
                st.integers(0, 2**63),
                HEX,
            ),
            max_size=5,
        )
    )
    replaced = st.builds(Replaced, NAMES, st.integers(), st.integers(0), st.none() | st.integers(0))
    columns = st.dictionaries(NAMES, st.dictionaries(NAMES, NAMES, max_size=3), max_size=2)
    return Manifest(
        draw(st.integers()),
        token,
        facts,
        draw(columns),
        contributions_of(facts, files),
        tuple(files),
        draw(st.none() | replaced),
    )


@settings(deadline=None)
@given(manifests())
def test_every_manifest_is_read_back_exactly_as_it_was_written(manifest: Manifest) -> None:
    data = json.loads(manifest.to_json())

    read = Manifest.from_json(manifest.to_json())

    assert read == manifest
    assert read.to_json() == manifest.to_json()
    read.must_be_exactly(data)


# What a manifest says of its files.


def test_a_file_says_its_table_its_slice_and_the_partition_that_its_path_spells() -> None:
    file = file_at(f"{SLICE}/role=a=b/x")

    assert file.table == "delta"
    assert file.slice == PLACE
    assert file.folder == SLICE
    assert file.partition == {
        "feature_spec_version": "v1",
        "dt": "2025-03-01",
        "hh": "10",
        "mm": "00",
        "role": "a=b",
    }


@pytest.mark.parametrize("table", ["quarantine", "quality"])
def test_a_file_of_no_table_lies_in_no_slice(table: str) -> None:
    file = file_at(f"{table}/{BATCH}/a=1/b=2/x")

    assert file.slice is None
    assert file.folder == f"{table}/{BATCH}/a=1/b=2"


def test_the_slice_of_a_file_does_not_take_in_its_name() -> None:
    file = file_at(f"delta/{VERSION}/dt=2025-03-01/x")

    assert (file.slice, file.folder) == ("dt=2025-03-01", f"delta/{VERSION}/dt=2025-03-01")


QUARTER_PAST = SLICE.replace("mm=00", "mm=15")
FULL = made(
    file_at(f"{SLICE}/role=inbound/x", 1),
    file_at(f"{SLICE}/role=outbound/x", 2),
    file_at(f"{QUARTER_PAST}/role=outbound/x", 4),
    file_at(f"{QUARTER_PAST}/role=outbound/shard=1/x", 32),
    file_at(f"window/{VERSION}/{PLACE}/x", 8),
    file_at(f"quarantine/{BATCH}/x", 16),
    file_at(f"quality/{BATCH}/x", 0),
)


def test_the_rows_of_a_table_are_counted_by_the_folders_below_its_slices() -> None:
    assert FULL.rows("delta") == {"inbound": 1, "outbound": 6, "outbound/1": 32}


def test_a_table_without_folders_below_its_slices_has_all_its_rows_in_one_count() -> None:
    assert FULL.rows("window") == {"all": 8}


def test_a_table_that_the_run_did_not_make_has_no_rows() -> None:
    assert FULL.rows("pair") == {}


def test_a_run_holds_the_slices_that_it_has_rows_in_by_time_and_each_once() -> None:
    assert FULL.slices() == [PLACE, "dt=2025-03-01/hh=10/mm=15"]
    assert BARE.slices() == []


def test_a_run_makes_the_tables_whose_columns_it_names_with_rows_or_without() -> None:
    assert BARE.tables == ("delta", "window")
    assert evolve(BARE, columns={"b": {}, "a": {}}).tables == ("a", "b")


def test_a_contribution_is_of_one_mini_batch_to_one_slice_and_in_the_order_of_time() -> None:
    assert [one.key for one in FULL.contributions] == [
        ("j", "mb", PLACE),
        ("j", "mb", "dt=2025-03-01/hh=10/mm=15"),
    ]


def digest(*files: OutputFile) -> str:
    (contribution,) = contributions_of(ALL_FACTS, files)
    return contribution.digest


IN, OUT = file_at(f"{SLICE}/role=inbound/x"), file_at(f"{SLICE}/role=outbound/x", 2, "01")


def test_equal_content_has_one_digest_whatever_its_files_are_called_and_in_any_order() -> None:
    renamed = evolve(IN, path=f"{SLICE}/role=inbound/other")

    assert digest(IN, OUT) == digest(OUT, renamed)


@pytest.mark.parametrize(
    "other",
    [
        evolve(IN, sha256="ff"),
        evolve(IN, rows=9),
        evolve(IN, path=f"{SLICE}/role=outbound/x"),
        evolve(IN, path=IN.path.replace("delta", "pair")),
    ],
)
def test_other_content_or_another_place_has_another_digest(other: OutputFile) -> None:
    assert digest(other, OUT) != digest(IN, OUT)
    assert digest(IN) != digest(IN, OUT)


def test_what_is_set_aside_does_not_count_as_a_contribution() -> None:
    aside = [file_at(f"quarantine/{BATCH}/x"), file_at(f"quality/{BATCH}/x")]

    assert contributions_of(ALL_FACTS, aside) == ()
    assert contributions_of(ALL_FACTS, [IN, *aside]) == contributions_of(ALL_FACTS, [IN])


def test_an_owner_is_a_mini_batch_of_a_job_under_a_version() -> None:
    assert ONE.owner == ALL_FACTS.owner == "v1/j/mb"


def test_manifests_sort_by_the_moment_of_publication_and_then_by_token() -> None:
    first, second, third = (
        published(moment, token=token * 12) for moment, token in ((2, "b"), (10, "a"), (10, "b"))
    )

    assert sorted([third, second, first], key=lambda one: one.order) == [first, second, third]


def test_a_summary_tells_facts_slices_rows_and_files_as_json() -> None:
    told = json.loads(json.dumps(summary(evolve(FULL, replaced=Replaced("before", TEN, 2, 3)))))

    assert told["run_id"] == "run"
    assert told["report"]["read"] == 3
    assert told["report"]["unreadable_files"] == {"broken.gz": "is cut"}
    assert told["slices"] == 2
    assert told["rows"] == {
        "delta": {"inbound": 1, "outbound": 6, "outbound/1": 32},
        "window": {"all": 8},
    }
    assert told["files"] == [file.path for file in FULL.files]
    assert not {"meaning", "inputs"} & told.keys()


def test_the_times_of_a_summary_are_texts_that_people_read() -> None:
    told = summary(evolve(FULL, replaced=Replaced("before", TEN - 1, 2, 3)))

    assert told["published_at"] == "2025-03-01T10:00:00Z"
    assert told["bounds"] == {"start": "2025-03-01T10:00:00Z", "end": "2025-03-01T11:00:00Z"}
    assert told["replaced"] == {
        "run_id": "before",
        "published_at": "2025-03-01T09:59:59.999999Z",
        "slices": 2,
        "kept": 3,
    }


def test_a_summary_of_a_first_run_without_bounds_says_so() -> None:
    told = summary(BARE)

    assert (told["bounds"], told["replaced"]) == (None, None)


def test_what_a_summary_counted_is_in_its_manifest_and_absent_where_a_run_counted_nothing() -> None:
    read = ReadFacts(
        covered=(CoveredWindows("wd_work", "w_1h", 10),),
        settings=(SettingRead("names", "digest"),),
        without_baseline=("2025-03-01",),
    )
    manifest = evolve(ONE, facts=evolve(ONE.facts, read=read))
    plain = evolve(ONE, facts=evolve(ONE.facts, read=ReadFacts())).to_plain()["facts"]["read"]

    assert Manifest.from_json(manifest.to_json()) == manifest
    assert plain.keys().isdisjoint({"covered", "settings", "without_baseline"})


def test_what_a_run_read_is_in_its_manifest_and_absent_where_it_read_files() -> None:
    read = ReadFacts(
        contributions=(ReadContribution(DELTAS, "job", "mb", PLACE, "00"),),
        days=(DayRead("2025-03-01", "11"),),
        unpublished=(PLACE,),
        built=("w_1h",),
        left_out=("w_24h",),
        without_history=("w_1h",),
        allows_missing=True,
    )
    manifest = evolve(ONE, facts=evolve(ONE.facts, read=read))

    assert Manifest.from_json(manifest.to_json()) == manifest
    assert "read" not in ONE.to_plain()["facts"]
    assert Manifest.from_json(ONE.to_json()).facts.read is None
    assert "read" not in summary(manifest)

"""Manifests of the version before, in which the last run to name a folder owned it, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict

from ndr_core.publishing.former import MEANING, FormerManifest, migrated, read_former
from ndr_core.publishing.manifest import Manifest, ManifestError
from ndr_core.quality.report import make_report
from ndr_core.quality.rules import reject_rules
from tests.unit.core.publishing.makers import FACTS

REPORT = make_report(reject_rules(None, deduplicates=False), 1, {}, {}, 0, {})
VERSION = "feature_spec_version=v1"
COLUMNS = {"host_ip": "string"}


def slice_at(minute: int) -> str:
    return f"{VERSION}/dt=2025-03-01/hh=10/mm={minute:02}"


def former(
    sequence: int, *minutes: int, batch: str = "mb", bounded: bool = False, **facts: Any
) -> FormerManifest:
    """A run that owns slices and the report of its mini-batch."""
    token = f"{sequence:012x}"
    aside = f"quality/{VERSION}/mini_batch_id={batch}"
    if bounded:
        aside += f"/{slice_at(minutes[0]).partition('/')[2]}"
    folders = [f"delta/{slice_at(minute)}" for minute in minutes]
    files = [(folder, f"{folder}/role=inbound/part-00000-{token}.parquet") for folder in folders]
    files.append((aside, f"{aside}/report-{token}.json"))
    plain = {
        "sequence": sequence,
        "token": token,
        "facts": {**asdict(FACTS), "report": asdict(REPORT), "mini_batch_id": batch, **facts},
        "folders": [*folders, aside],
        "files": [
            {"folder": folder, "path": path, "rows": 1, "bytes": 1, "sha256": "00"}
            for folder, path in files
        ],
    }
    return read_former(plain)


def taken_over(*known: FormerManifest) -> list[Manifest]:
    return migrated(known, lambda _: COLUMNS)


def what_of(manifests: list[Manifest]) -> dict[str, tuple[list[str], list[str]]]:
    """Mini-batch -> minutes of its slices, top folders of its files."""
    return {
        manifest.facts.mini_batch_id: (
            [place.rpartition("mm=")[2] for place in manifest.slices()],
            sorted({file.table for file in manifest.files}),
        )
        for manifest in manifests
    }


def test_a_mini_batch_of_one_slice_keeps_its_id_and_its_report() -> None:
    (manifest,) = taken_over(former(3, 15, bounded=True))

    assert what_of([manifest]) == {"mb": (["15"], ["delta", "quality"])}
    assert manifest.published_at == 3
    assert manifest.columns == {"delta": COLUMNS}
    assert manifest.facts.meaning == MEANING


def test_a_mini_batch_of_several_slices_becomes_one_of_each_and_keeps_its_report() -> None:
    manifests = taken_over(former(1, 0, 15))

    assert what_of(manifests) == {
        "mb": ([], ["quality"]),
        "mb-2025-03-01T1000": (["00"], ["delta"]),
        "mb-2025-03-01T1015": (["15"], ["delta"]),
    }
    assert [one.facts.report is None for one in manifests] == [False, True, True]


def test_a_mini_batch_that_was_run_once_per_slice_becomes_one_of_each() -> None:
    manifests = taken_over(former(1, 0, bounded=True), former(2, 15, bounded=True))

    assert set(what_of(manifests)) == {"mb", "mb-2025-03-01T1000", "mb-2025-03-01T1015"}
    reports = [file for one in manifests for file in one.files if file.table == "quality"]
    assert len(reports) == 2


def test_only_the_last_run_to_own_a_slice_is_live_in_it() -> None:
    manifests = taken_over(former(2, 15, batch="late"), former(1, 0, 15, batch="early"))

    assert what_of(manifests) == {
        "early": (["00"], ["delta", "quality"]),
        "late": (["15"], ["delta", "quality"]),
    }


def test_the_same_manifests_are_made_in_whatever_order_the_former_ones_are_listed() -> None:
    known = [former(1, 0, 15, batch="a"), former(2, 15, 30, batch="b"), former(3, 45, batch="c")]

    assert taken_over(*known) == taken_over(*reversed(known))


def test_what_is_made_is_read_back() -> None:
    for manifest in taken_over(former(1, 0, 15)):
        assert Manifest.from_json(manifest.to_json()) == manifest


def test_other_data_are_no_former_manifest() -> None:
    with pytest.raises(ManifestError, match="is no manifest of the version before"):
        read_former({"sequence": "x"})


def test_a_place_to_which_no_run_writes_is_refused() -> None:
    plain = asdict(former(1, 0))
    for file in plain["files"]:
        file["path"] = file["path"].replace("dt=2025-03-01", "..")

    with pytest.raises(ManifestError, match=r"empty, '\.' or '\.\.' segment"):
        taken_over(read_former(plain))

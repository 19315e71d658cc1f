"""JobSpecs of all kinds, read by the key that names their kind."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError
from ndr_core.history.spec import PairHistorySpec
from ndr_core.spec_kinds import KINDS, expect, kind_of, parse_spec
from ndr_core.windows.spec import FgASpec

DELTA = {"project_name": "acme", "input": {"preset": "paloalto"}}


def test_data_without_a_kind_is_a_spec_of_deltas() -> None:
    spec = parse_spec(DELTA)

    assert isinstance(spec, JobSpec)
    assert kind_of(spec) == "delta"
    assert parse_spec(DELTA | {"kind": "delta"}) == spec


def test_the_kind_of_a_spec_tells_how_it_is_read() -> None:
    spec = parse_spec({"kind": "fg_a", "project_name": "acme"})

    assert isinstance(spec, FgASpec)
    assert kind_of(spec) == "fg_a"


@pytest.mark.parametrize("kind", ["fg", "", 7, ["fg_a"], None])
def test_an_unknown_kind_is_refused_with_the_source_named(kind: Any) -> None:
    with pytest.raises(SpecError, match=r"^spec x\.yaml: kind: unknown value "):
        parse_spec({"kind": kind, "project_name": "acme"}, "spec x.yaml")


def test_data_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(SpecError, match="holds a list, expected a mapping of keys"):
        parse_spec([1])


def test_each_kind_has_a_schema() -> None:
    assert all(kind.schema()["type"] == "object" for kind in KINDS.values())


def test_a_spec_of_the_expected_kind_is_given_back_and_another_one_is_refused_by_name() -> None:
    spec = parse_spec({"kind": "pair_history", "project_name": "acme"})

    assert expect(spec, PairHistorySpec, "spec x.yaml") is spec
    with pytest.raises(
        SpecError,
        match=r"^spec x\.yaml: is the JobSpec of another kind .* is pair_history, expected fg_a$",
    ):
        expect(spec, FgASpec, "spec x.yaml")


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_of_any_kind_may_name_a_key_which_does_not_change_its_hash(kind: str) -> None:
    data: dict[str, Any] = {"kind": kind, "project_name": "acme"}
    data |= {"input": {"preset": "paloalto"}} if kind == "delta" else {}

    spec = parse_spec({**data, "storage": {"kms_key": "alias/ndr"}})

    assert spec.storage.kms_key == "alias/ndr"
    assert parse_spec(spec.to_plain()) == spec
    assert spec.content_hash() == parse_spec(data).content_hash()
    with pytest.raises(SpecError, match=r"storage\.kms_key: 'ndr' is no key of KMS; give its ARN"):
        parse_spec({**data, "storage": {"kms_key": "ndr"}})

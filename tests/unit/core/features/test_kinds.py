"""The key `kind` of a JobSpec."""

from __future__ import annotations

import pytest

from ndr_core.errors import SpecError
from ndr_core.features.kinds import with_kind, without_kind


def test_the_kind_is_taken_out_of_the_data_of_a_spec() -> None:
    assert without_kind({"kind": "fg_a", "a": 1}, "fg_a", "spec") == {"a": 1}
    assert without_kind({"a": 1}, "fg_a", "spec") == {"a": 1}


def test_data_that_is_no_mapping_is_left_to_the_reader() -> None:
    assert without_kind([1], "fg_a", "spec") == [1]


def test_another_kind_is_refused_with_the_source_named() -> None:
    with pytest.raises(
        SpecError, match=r"^spec x.yaml: kind: unknown value 'fg_b', did you mean 'fg_a'\?$"
    ):
        without_kind({"kind": "fg_b"}, "fg_a", "spec x.yaml")


def test_a_schema_names_its_kind_and_requires_it() -> None:
    schema = with_kind({"type": "object", "properties": {"a": {}}, "required": ["a"]}, "fg_a")

    assert schema["properties"]["kind"]["const"] == "fg_a"
    assert list(schema["properties"]) == ["kind", "a"]
    assert schema["required"] == ["kind", "a"]
